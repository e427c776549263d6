package io.gradus.optim;

import io.gradus.core.Shape;
import io.gradus.core.Tensor;
import io.gradus.core.kernel.OptimizerStepKernels;
import java.util.List;

/**
 * Adafactor (Shazeer &amp; Stern 2018): adaptive learning rates with almost no memory. For an n × m matrix, Adam stores 2nm
 * numbers. Adafactor stores no first moment, and only the row means and column means of the second: n + m numbers. Their product
 * divided by their mean is the closest rank-one matrix to the second moment, in the sense of the paper's section 3.
 *
 * <pre>
 *   β = 1 − tᵈᵉᶜᵃʸ                                     decay is beta2Decay, −0.8
 *   R = βR + (1 − β)·mean of g² along each row        C = βC + (1 − β)·mean of g² along each column
 *   V = R·C / max(mean of R, ε₁)                      for scalars and vectors V = βV + (1 − β)·g²
 *   U = g / √max(V, ε₁²)
 *   ρ = min(η, 1/√t)      α = max(ε₂, rms θ)·ρ
 *   θ = θ − ηλθ − α·U / max(1, rms U / d)
 * </pre>
 *
 * <p>This is PyTorch's form of the paper's algorithms 4 and 5. It differs from the paper as PyTorch does: the learning rate η
 * bounds the relative step, instead of 0.01; R and C are means instead of sums, which is equivalent; ε₁ is a lower bound for the
 * magnitude of gradients, where the paper adds 1e-30 to each square; and weight decay λ is decoupled. A parameter with more than
 * two dimensions is treated as many matrices, each with its own averages.
 *
 * <p>The learning rate is relative: 0.01 changes each weight by about a hundredth of the weights' root mean square. To use an
 * absolute learning rate, as for Adam, turn {@link Settings#relative} off.
 *
 * <p>State: {@code row_var} (R) and {@code col_var} (C), or {@code variance} (V) for scalars and vectors.
 */
public final class Adafactor extends Optimizer {
    private final Settings settings;

    /**
     * The constants of the method.
     *
     * @param beta2Decay the exponent in β = 1 − tᵈᵉᶜᵃʸ, at most 0
     * @param epsilon1 ε₁, a lower bound for the magnitude of gradients, at least 0
     * @param epsilon2 ε₂, a lower bound for the root mean square of the weights, at least 0
     * @param clippingThreshold d, the maximum root mean square of an update, at least 1
     * @param relative whether steps are relative to the size of the weights and bounded by 1/√t; if not, α = η
     */
    public record Settings(
            double beta2Decay, double epsilon1, double epsilon2, double clippingThreshold, boolean relative) {
        /** −0.8, 2⁻²³ (PyTorch's ε₁ for F32), 1e-3, 1 and relative; the others are the paper's. */
        public static final Settings DEFAULT = new Settings(-0.8, 0x1p-23, 1e-3, 1, true);

        /** @throws IllegalArgumentException if a number is out of range */
        public Settings {
            if (!(beta2Decay <= 0) || Double.isInfinite(beta2Decay)) {
                throw new IllegalArgumentException("Adafactor: beta2Decay is " + beta2Decay + "; it must be at most 0");
            }
            if (!(epsilon1 >= 0 && epsilon2 >= 0) || Double.isInfinite(epsilon1 + epsilon2)) {
                throw new IllegalArgumentException("Adafactor: epsilon1 and epsilon2 are " + epsilon1 + " and "
                        + epsilon2 + "; each must be a number of at least 0");
            }
            if (!(clippingThreshold >= 1)) {
                throw new IllegalArgumentException(
                        "Adafactor: clippingThreshold is " + clippingThreshold + "; it must be at least 1");
            }
        }
    }

    /** With {@link Settings#DEFAULT}; the paper's learning rate is 0.01. */
    public Adafactor(List<ParameterGroup> groups, double learningRate) {
        this(groups, learningRate, Settings.DEFAULT);
    }

    /**
     * @throws IllegalArgumentException if the learning rate is negative or not finite, a parameter or a name occurs twice, there
     *     is no parameter, or a parameter has a dtype that its device does not compute in
     */
    public Adafactor(List<ParameterGroup> groups, double learningRate, Settings settings) {
        super(groups, learningRate, Adafactor::stateTensors);
        this.settings = settings;
    }

    private static List<StateTensor> stateTensors(Tensor value) {
        Shape shape = value.shape();
        int rank = shape.rank();
        return rank < 2
                ? List.of(StateTensor.like(value, "variance"))
                : List.of(
                        new StateTensor("row_var", value.dtype(), shape.with(rank - 1, 1)),
                        new StateTensor("col_var", value.dtype(), shape.with(rank - 2, 1)));
    }

    /** The constants of the method. */
    public Settings settings() {
        return settings;
    }

    @Override
    protected void update(ParameterStep step) {
        OptimizerStepKernels.Adafactor constants = new OptimizerStepKernels.Adafactor(
                step.learningRate(),
                settings.beta2Decay(),
                settings.epsilon1(),
                settings.epsilon2(),
                settings.clippingThreshold(),
                step.weightDecay(),
                settings.relative());
        boolean factored = step.weight().shape().rank() >= 2;
        step.weight()
                .kernels()
                .optimizerSteps()
                .adafactor(
                        step.weight(),
                        step.unscaledGradient(),
                        step.state(factored ? "row_var" : "variance"),
                        factored ? step.state("col_var") : null,
                        constants,
                        step.gradientScale(),
                        step.number());
    }
}
