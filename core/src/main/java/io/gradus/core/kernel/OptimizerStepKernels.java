package io.gradus.core.kernel;

import io.gradus.core.Tensor;
import org.jspecify.annotations.Nullable;

/** One pass over a parameter, its gradient and what the optimiser remembers of it. The gradient is not changed. */
public interface OptimizerStepKernels {

    /**
     * Stochastic gradient descent (Sutskever et al. 2013, as PyTorch writes it): {@code g = gradientScale·gradient + weightDecay·θ};
     * with momentum {@code b = first ? g : momentum·b + (1 − dampening)·g} and {@code g = nesterov ? g + momentum·b : b};
     * {@code θ −= learningRate·g}.
     *
     * @param buffer b, or null without momentum
     * @param first whether the buffer holds nothing yet
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
     */
    void adam(
            Tensor parameter,
            Tensor gradient,
            Tensor firstMoment,
            Tensor secondMoment,
            Adam settings,
            double gradientScale,
            long step);

    /** The constants of {@link #sgd}. */
    record Sgd(double learningRate, double momentum, double dampening, boolean nesterov, double weightDecay) {}

    /**
     * The constants of {@link #adam}.
     *
     * @param decoupled whether weight decay acts on the weight (AdamW) or is added to the gradient (Adam with L2)
     */
    record Adam(
            double learningRate, double beta1, double beta2, double epsilon, double weightDecay, boolean decoupled) {}

    static void check(String operation, Tensor parameter, Tensor gradient, Tensor... state) {
        Checks.computable(operation, parameter, gradient);
        Checks.computable(operation, parameter, state);
        Checks.sameShape(operation, parameter, gradient);
        Checks.sameShape(operation, parameter, state);
    }
}
