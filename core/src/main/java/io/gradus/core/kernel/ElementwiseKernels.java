package io.gradus.core.kernel;

import io.gradus.core.GradientBuffer;
import io.gradus.core.Tensor;
import java.util.Locale;

/** Functions applied to each element. */
public interface ElementwiseKernels {

    /** Functions of one argument. */
    enum Unary {
        /** eˣ; derivative y. */
        EXP,
        /** ln x; derivative 1/x. */
        LOG,
        /** √x; derivative 1/(2y). */
        SQRT,
        /** tanh x; derivative 1 − y². */
        TANH,
        /** 1/(1 + e⁻ˣ); derivative y(1 − y). */
        SIGMOID,
        /** max(x, 0); derivative 1 where x &gt; 0, else 0 (0 at 0, as in PyTorch). NaN stays NaN. */
        RELU,
        /** x·Φ(x), Φ the normal distribution function (Hendrycks &amp; Gimpel 2016); derivative Φ(x) + x·φ(x). */
        GELU,
        /** ½x(1 + tanh(√(2/π)(x + 0.044715x³))), the approximation of the same paper, eq. 2. */
        GELU_TANH,
        /** x·σ(x); derivative σ(x)(1 + x(1 − σ(x))). */
        SILU,
        /** |x|; derivative sign x, 0 at 0 and at NaN, as in PyTorch. */
        ABS,
        /** −1, 0 or 1; 0 for NaN, as in PyTorch; derivative 0. */
        SIGN,
        /** sin x; derivative cos x. */
        SIN,
        /** cos x; derivative −sin x. */
        COS
    }

    /** Functions of two arguments. */
    enum Binary {
        ADD,
        SUBTRACT,
        MULTIPLY,
        DIVIDE,
        /** aᵇ. */
        POW,
        /** a·ln b, and 0 where a is 0 (unless b is NaN). */
        XLOGY,
        /** The smaller of a and b; NaN if either is NaN. */
        MINIMUM,
        /** The larger of a and b; NaN if either is NaN. */
        MAXIMUM
    }

    /** Comparisons. If an operand is NaN, all are false except {@link #NE}. */
    enum Comparison {
        /** a = b. */
        EQ,
        /** a ≠ b. */
        NE,
        /** a &lt; b. */
        LT,
        /** a ≤ b. */
        LE,
        /** a &gt; b. */
        GT,
        /** a ≥ b. */
        GE
    }

    /** {@code out = op(x)}; {@code out} may be {@code x}. */
    void unary(Unary op, Tensor x, Tensor out);

    /**
     * {@code dx (+)= op′(x)·dy}, where {@code y = op(x)}; all of one shape. EXP, SQRT, TANH, SIGMOID and RELU read only
     * {@code y}, and all others only {@code x}: a caller that kept only one of them may pass it for both.
     */
    void unaryBackward(Unary op, Tensor x, Tensor y, Tensor dy, Tensor dx, boolean accumulate);

    /** {@code out (+)= a op b}, both broadcast to the shape of {@code out}. */
    void binary(Binary op, Tensor a, Tensor b, Tensor out, boolean accumulate);

    /**
     * {@code out = a op b ? 1 : 0}, both broadcast to the shape of {@code out}.
     *
     * @param out I32
     */
    void compare(Comparison op, Tensor a, Tensor b, Tensor out);

    /** {@code out (+)= scale·x + shift}; {@code x} is broadcast to the shape of {@code out}, and may be {@code out}. */
    void affine(Tensor x, double scale, double shift, Tensor out, boolean accumulate);

    /**
     * {@code out (+)= condition ≠ 0 ? a : b}, all broadcast to the shape of {@code out}.
     *
     * @param condition I32
     */
    void where(Tensor condition, Tensor a, Tensor b, Tensor out, boolean accumulate);

    /**
     * {@code out = silu(gate)·up} (Shazeer 2020, GLU Variants Improve Transformer, eq. 6, without its matrices). All
     * tensors have one shape. {@code out} may be {@code gate} or {@code up}.
     */
    void swiglu(Tensor gate, Tensor up, Tensor out);

    /** {@code dgate (+)= silu′(gate)·up·dy} and {@code dup (+)= silu(gate)·dy}; all of one shape. */
    void swigluBackward(Tensor gate, Tensor up, Tensor dy, GradientBuffer dgate, GradientBuffer dup);

    /** Sets every element to a value; for tensors of any dtype. */
    void fill(Tensor out, double value);

    /** The name of an operation in errors, as {@code geluTanh}. */
    static String name(Enum<?> op) {
        String name = op.name().toLowerCase(Locale.ROOT);
        int underscore = name.indexOf('_');
        return underscore < 0
                ? name
                : name.substring(0, underscore)
                        + Character.toUpperCase(name.charAt(underscore + 1))
                        + name.substring(underscore + 2);
    }
}
