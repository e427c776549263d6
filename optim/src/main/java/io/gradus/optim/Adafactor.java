package io.gradus.optim;

import io.gradus.core.Shape;
import io.gradus.core.Tensor;
import io.gradus.core.kernel.OptimizerStepKernels;
import java.util.List;

/**
 * Adafactor (Shazeer &amp; Stern 2018): adaptive rates with nearly no memory. Of a matrix of n rows and m columns Adam
 * remembers two numbers for each weight; this remembers no first moment at all, and of the second only the mean of each
 * row and of each column, n + m numbers in place of 2nm. Their product, divided by their mean, is the matrix of rank one
 * that is nearest to the second moment in the sense of the paper's section 3.
 *
 * <pre>
 *   β = 1 − tᵈᵉᶜᵃʸ                                     decay is −0.8
 *   R = βR + (1 − β)·mean of g² along each row        C = βC + (1 − β)·mean of g² along each column
 *   V = R·C / max(mean of R, ε₁)                      for scalars and vectors V = βV + (1 − β)·g²
 *   U = g / √max(V, ε₁²)
 *   ρ = min(η, 1/√t)      α = max(ε₂, rms θ)·ρ
 *   θ = θ − ηλθ − α·U / max(1, rms U / d)
 * </pre>
 *
 * <p>This is PyTorch's form of the paper's algorithms 4 and 5. It differs from the paper where PyTorch does: η, the
 * learning rate, bounds the relative step in place of 0.01; the means are means and not sums, which comes to the same;
 * ε₁ bounds V from below, as a magnitude of gradients, where the paper adds 1e-30 to each square; and the weight decay λ
 * is decoupled. A parameter of more than two axes is many matrices, each with averages of its own.
 *
 * <p>Its learning rate is relative: 0.01 moves each weight by a hundredth of the weights' size. Adam's rates are far
 * smaller numbers; with {@link Settings#relative} off they can be used as they are.
 */
public final class Adafactor extends Optimizer {
    private final Settings settings;

    /**
     * The constants of the method.
     *
     * @param decay the power of t that is forgotten at step t, below or equal to 0
     * @param epsilon1 ε₁, the least magnitude of a gradient that counts; at least 0
     * @param epsilon2 ε₂, the least size of weights that steps are relative to; at least 0
     * @param clippingThreshold d, how large the root of the mean square of an update may be; at least 1
     * @param relative whether steps are relative to the size of the weights and fall as 1/√t; if not, α = η
     */
    public record Settings(double decay, double epsilon1, double epsilon2, double clippingThreshold, boolean relative) {
        /** The paper's, with PyTorch's ε₁ for F32: −0.8, 2⁻²³, 1e-3, 1, relative. */
        public static final Settings DEFAULT = new Settings(-0.8, 0x1p-23, 1e-3, 1, true);

        /** @throws IllegalArgumentException when a number is out of its range */
        public Settings {
            if (!(decay <= 0) || Double.isInfinite(decay)) {
                throw new IllegalArgumentException("Adafactor: decay is " + decay + "; it must be at most 0");
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

    /** With {@link Settings#DEFAULT}; the paper's rate is 0.01. */
    public Adafactor(List<ParameterGroup> groups, double learningRate) {
        this(groups, learningRate, Settings.DEFAULT);
    }

    /**
     * @throws IllegalArgumentException when the rate is negative or not finite, a parameter or a name occurs twice,
     *     there is none, or a parameter is of a dtype that its device does not compute in
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

    public Settings settings() {
        return settings;
    }

    @Override
    protected void update(ParameterStep step) {
        OptimizerStepKernels.Adafactor constants = new OptimizerStepKernels.Adafactor(
                step.learningRate(),
                settings.decay(),
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
