package io.gradus.optim;

import io.gradus.core.Tensor;
import io.gradus.core.kernel.AdamStep;
import io.gradus.core.kernel.OptimizerStepKernels;
import java.util.List;

/**
 * Adam (Kingma &amp; Ba 2015, algorithm 1): scales the step of each weight by running averages of its gradient and of the
 * squared gradient. Step t counts from 1.
 *
 * <pre>
 *   g = gradient + λθ
 *   m = β₁m + (1 − β₁)·g
 *   v = β₂v + (1 − β₂)·g²
 *   θ = θ − η · (m/(1 − β₁ᵗ)) / (√(v/(1 − β₂ᵗ)) + ε)
 * </pre>
 *
 * η is the learning rate, and λ the group's weight decay, applied here as an L2 penalty; {@link AdamW} is usually better.
 * State: {@code exp_avg} (m) and {@code exp_avg_sq} (v) take twice the memory of the parameters.
 */
public sealed class Adam extends Optimizer permits AdamW {
    private final Settings settings;
    private final boolean decoupled;

    /**
     * The constants of the method.
     *
     * @param beta1 β₁, the decay of the average gradient, at least 0 and less than 1
     * @param beta2 β₂, the decay of the average squared gradient, at least 0 and less than 1
     * @param epsilon ε, which avoids a division by zero; greater than 0
     */
    public record Settings(double beta1, double beta2, double epsilon) {
        /** 0.9, 0.999 and 1e-8, from the paper. */
        public static final Settings DEFAULT = new Settings(0.9, 0.999, 1e-8);

        /** @throws IllegalArgumentException if a number is out of range */
        public Settings {
            if (!(beta1 >= 0 && beta1 < 1 && beta2 >= 0 && beta2 < 1)) {
                throw new IllegalArgumentException(
                        "Adam: beta1 and beta2 are " + beta1 + " and " + beta2 + "; each must be in [0, 1)");
            }
            if (!(epsilon > 0) || Double.isInfinite(epsilon)) {
                throw new IllegalArgumentException(
                        "Adam: epsilon is " + epsilon + "; it must be a number greater than 0");
            }
        }
    }

    /** With {@link Settings#DEFAULT}. */
    public Adam(List<ParameterGroup> groups, double learningRate) {
        this(groups, learningRate, Settings.DEFAULT);
    }

    /**
     * @throws IllegalArgumentException if the learning rate is negative or not finite, a parameter or a name occurs twice, there
     *     is no parameter, or a parameter has a dtype that its device does not compute in
     */
    public Adam(List<ParameterGroup> groups, double learningRate, Settings settings) {
        this(groups, learningRate, settings, false);
    }

    /** @param decoupled whether weight decay acts on the weight instead of the gradient */
    Adam(List<ParameterGroup> groups, double learningRate, Settings settings, boolean decoupled) {
        super(groups, learningRate, "exp_avg", "exp_avg_sq");
        this.settings = settings;
        this.decoupled = decoupled;
    }

    /** The constants of the method. */
    public final Settings settings() {
        return settings;
    }

    @Override
    public final Sharding sharding() {
        return Sharding.RANGES;
    }

    @Override
    protected final void update(ParameterStep step) {
        step(step, settings, decoupled);
    }

    static void step(ParameterStep step, Settings settings, boolean decoupled) {
        OptimizerStepKernels kernels = step.weight().kernels().optimizerSteps();
        Tensor gradient =
                kernels.adamReads(step.storedGradient().dtype()) ? step.storedGradient() : step.unscaledGradient();
        Tensor m = step.state("exp_avg");
        Tensor v = step.state("exp_avg_sq");
        AdamStep constants = constants(step, settings, decoupled);
        Tensor rounded = step.takeRounded();
        if (rounded == null) {
            kernels.adam(step.weight(), gradient, m, v, constants);
        } else {
            kernels.adamOfMaster(step.weight(), gradient, m, v, constants, rounded);
        }
    }

    static AdamStep constants(ParameterStep step, Settings settings, boolean decoupled) {
        return new AdamStep(
                step.learningRate(),
                settings.beta1(),
                settings.beta2(),
                settings.epsilon(),
                step.weightDecay(),
                decoupled,
                step.gradientScale(),
                step.number());
    }
}
