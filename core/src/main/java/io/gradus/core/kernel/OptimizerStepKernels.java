package io.gradus.core.kernel;

import io.gradus.core.DType;
import io.gradus.core.Tensor;
import org.jspecify.annotations.Nullable;

/** One optimizer step for a parameter, given its gradient and optimizer state. The gradient is not modified. */
public interface OptimizerStepKernels {

    /**
     * Stochastic gradient descent (Sutskever et al. 2013, as in PyTorch): {@code g = gradientScale·gradient + weightDecay·θ};
     * with momentum {@code b = first ? g : momentum·b + (1 − dampening)·g} and {@code g = nesterov ? g + momentum·b : b};
     * {@code θ −= learningRate·g}.
     *
     * @param buffer b, or null without momentum
     * @param first whether this is the first step, so that the buffer is undefined
     */
    void sgd(
            Tensor parameter,
            Tensor gradient,
            @Nullable Tensor buffer,
            Sgd settings,
            double gradientScale,
            boolean first);

    /**
     * Adam (Kingma &amp; Ba 2015, algorithm 1) and AdamW (Loshchilov &amp; Hutter 2019, algorithm 2), step t counted from 1:
     * {@code g = gradientScale·gradient (+ weightDecay·θ when coupled)}; {@code m = β₁m + (1 − β₁)g};
     * {@code v = β₂v + (1 − β₂)g²}; {@code θ −= learningRate·weightDecay·θ} when decoupled;
     * {@code θ −= learningRate·(m/(1 − β₁ᵗ)) / (√(v/(1 − β₂ᵗ)) + ε)}.
     *
     * @param gradient of the dtype of the others, or BF16 or F16 if {@link #adamReads} says so
     */
    void adam(Tensor parameter, Tensor gradient, Tensor firstMoment, Tensor secondMoment, AdamStep step);

    /**
     * {@link #adam} of the F32 master of a 16-bit parameter. The parameter becomes the master, rounded, as
     * {@link CastKernels#cast} rounds it. The default implementation runs two kernels.
     *
     * @param rounded the parameter, BF16 or F16, of the shape of the master; only written
     */
    default void adamOfMaster(
            Tensor master, Tensor gradient, Tensor firstMoment, Tensor secondMoment, AdamStep step, Tensor rounded) {
        adam(master, gradient, firstMoment, secondMoment, step);
        rounded.kernels().cast().cast(master, rounded);
    }

    /** Whether {@link #adam} reads gradients of a dtype as they are; others must be converted to F32. */
    default boolean adamReads(DType gradient) {
        return !gradient.isHalf();
    }

    /**
     * The proximal step of a quadratic penalty (Parikh &amp; Boyd 2014, section 4.2): {@code θ = a + (θ − a)/(1 + s·F)} with the
     * anchor a, the strength s and the importance F. This minimizes {@code ½(x − θ)² + ½s·F(x − a)²} over x; unlike a gradient
     * step of size s on {@code ½F(θ − a)²}, it never overshoots.
     *
     * <p>Both ends are exact: if s or F is 0 the weight keeps its bits, and if s is infinite (and F is not 0) it becomes the
     * anchor.
     *
     * @param importance F, at least 0, or null for 1 everywhere
     * @param strength s, from 0 to infinity
     */
    void proximalStep(Tensor parameter, Tensor anchor, @Nullable Tensor importance, double strength);

    /**
     * Adafactor (Shazeer &amp; Stern 2018, algorithms 4 and 5, as in PyTorch), step t counted from 1, with
     * {@code g = gradientScale·gradient} and {@code β = 1 − t^beta2Decay}. Of a matrix of n rows and m columns (the last two
     * axes; others may precede them) only the row and column means are stored, n + m numbers:
     *
     * <pre>
     *   R = βR + (1 − β)·mean of g² along each row        C = βC + (1 − β)·mean of g² along each column
     *   V = R·C / max(mean of R, ε₁)                      for scalars and vectors V = βV + (1 − β)·g²
     *   U = g / √max(V, ε₁²)
     *   α = max(ε₂, rms θ)·min(learningRate, 1/√t) when relative, else learningRate
     *   θ = θ − learningRate·weightDecay·θ − α·U / max(1, rms U / clippingThreshold)
     * </pre>
     *
     * Both rms are over the whole tensor; that of θ is taken before the step.
     *
     * @param variance R of shape […, n, 1], or V of the shape of the parameter
     * @param columnVariance C of shape […, 1, m], or null for V
     */
    void adafactor(
            Tensor parameter,
            Tensor gradient,
            Tensor variance,
            @Nullable Tensor columnVariance,
            Adafactor settings,
            double gradientScale,
            long step);

    /**
     * {@link #adam} with 8-bit moments (Dettmers et al. 2022, section 2). Each block of {@link #BLOCK} elements, in row-major
     * order, stores its largest magnitude, and each element a code for its fraction of that. Moments are decoded, updated and
     * used in full precision, and encoded again:
     *
     * <pre>
     *   m = SIGNED.value(code)·largest              v = UNSIGNED.value(code)·largest
     *   m, v, θ as in adam
     *   largest = max |m| of the block              code = SIGNED.code(m / largest), 0/0 being 0; v likewise
     * </pre>
     *
     * A non-finite gradient spoils its whole block.
     *
     * @param firstCodes U8 of the shape of the parameter, read by {@link DynamicMap#SIGNED}
     * @param firstLargest one number per block, of shape [⌈size/{@link #BLOCK}⌉]
     * @param secondCodes as the first, read by {@link DynamicMap#UNSIGNED}
     * @param secondLargest as the first
     */
    void adam8bit(
            Tensor parameter,
            Tensor gradient,
            Tensor firstCodes,
            Tensor firstLargest,
            Tensor secondCodes,
            Tensor secondLargest,
            AdamStep step);

    /** The number of elements that share a scale in {@link #adam8bit}. */
    int BLOCK = 256;

    /** The number of blocks for {@code size} elements. */
    static long blocks(long size) {
        return (size + BLOCK - 1) / BLOCK;
    }

    /** The constants of {@link #sgd}. */
    record Sgd(double learningRate, double momentum, double dampening, boolean nesterov, double weightDecay) {}

    /**
     * The constants of {@link #adafactor}.
     *
     * @param relative whether the learning rate is relative to the weights' rms and decreases as 1/√t
     */
    record Adafactor(
            double learningRate,
            double beta2Decay,
            double epsilon1,
            double epsilon2,
            double clippingThreshold,
            double weightDecay,
            boolean relative) {}
}
