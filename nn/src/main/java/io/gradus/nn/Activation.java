package io.gradus.nn;

import io.gradus.autograd.Variable;
import java.util.function.UnaryOperator;

/** Activation functions as layers; {@link #toString} returns PyTorch's name, or that of transformers. */
public enum Activation implements Layer {
    RELU("ReLU()", Variable::relu),
    GELU("GELU()", Variable::gelu),
    /** GELU approximated with a hyperbolic tangent. */
    GELU_TANH("GELU(approximate=tanh)", Variable::geluTanh),
    SILU("SiLU()", Variable::silu),
    TANH("Tanh()", Variable::tanh),
    SIGMOID("Sigmoid()", Variable::sigmoid),
    /** {@code x} itself. */
    IDENTITY("Identity()", x -> x),
    /** {@code relu(x) − 0.01·relu(−x)}. */
    LEAKY_RELU(
            "LeakyReLU(negative_slope=0.01)",
            x -> x.relu().subtract(x.negate().relu().multiply(0.01))),
    /** {@code relu(x)²} (So et al. 2021). */
    RELU_SQUARED("ReLUSquared()", x -> {
        Variable relu = x.relu();
        return relu.multiply(relu);
    }),
    /** {@code relu(x)}, at most 6. */
    RELU6("ReLU6()", x -> x.clamp(0, 6)),
    /** {@code x·relu6(x + 3)/6} (Howard et al. 2019). */
    HARDSWISH("Hardswish()", x -> x.multiply(x.add(3).clamp(0, 6)).multiply(1.0 / 6)),
    /** {@code x·sigmoid(1.702·x)}, an approximation of GELU (Hendrycks and Gimpel 2016). */
    QUICK_GELU("QuickGELU()", x -> x.multiply(x.multiply(1.702).sigmoid())),
    /** GELU, from −10 to 10. */
    CLIPPED_GELU("ClippedGELU(min=-10, max=10)", x -> x.gelu().clamp(-10, 10)),
    /**
     * {@code x·tanh(ln(1 + eˣ))} (Misra 2019). With {@code q = sigmoid(−x) = 1/(1 + eˣ)}, the hyperbolic tangent is
     * {@code (1 − q²)/(1 + q²)}, which does not overflow.
     */
    MISH("Mish()", x -> {
        Variable q = x.negate().sigmoid();
        Variable squared = q.multiply(q);
        return x.multiply(squared.negate().add(1).divide(squared.add(1)));
    });

    private final String text;
    private final UnaryOperator<Variable> function;

    Activation(String text, UnaryOperator<Variable> function) {
        this.text = text;
        this.function = function;
    }

    @Override
    public Variable forward(Variable x) {
        return function.apply(x);
    }

    @Override
    public String toString() {
        return text;
    }
}
