package io.gradus.core.kernel;

import io.gradus.core.kernel.OptimizerStepKernels.Adam;

/**
 * The numbers of one Adam step, worked out in double and used in float. With the corrections of bias drawn into two of them
 *
 * <pre>{@code
 * g' = scale·g + coupled·θ
 * m  = beta1·m + rest1·g'          v = beta2·v + rest2·g'²
 * θ −= rate·m/(√v·root + epsilon) + decay·θ
 * rate = learningRate/(1 − β₁ᵗ)    root = 1/√(1 − β₂ᵗ)
 * }</pre>
 *
 * Decay is subtracted and not written as a factor {@code 1 − decay}: that would round it to a multiple of 6e−8, a tenth of
 * what a learning rate of 2e−5 makes of a weight decay of 0.01.
 *
 * @param scale what the gradient is multiplied by
 * @param coupled weight decay that acts through the gradient (Adam)
 * @param decay weight decay that acts on the weight (AdamW), times the learning rate
 */
public record AdamConstants(
        float scale,
        float coupled,
        float beta1,
        float rest1,
        float beta2,
        float rest2,
        float rate,
        float root,
        float epsilon,
        float decay) {

    /**
     * @param step from 1
     * @throws IllegalArgumentException when the step is smaller
     */
    public static AdamConstants of(Adam settings, double gradientScale, long step) {
        if (step < 1) {
            throw new IllegalArgumentException("adam: steps are counted from 1, not " + step);
        }
        return new AdamConstants(
                (float) gradientScale,
                settings.decoupled() ? 0 : (float) settings.weightDecay(),
                (float) settings.beta1(),
                (float) (1 - settings.beta1()),
                (float) settings.beta2(),
                (float) (1 - settings.beta2()),
                (float) (settings.learningRate() / (1 - Math.pow(settings.beta1(), step))),
                (float) (1 / Math.sqrt(1 - Math.pow(settings.beta2(), step))),
                (float) settings.epsilon(),
                settings.decoupled() ? (float) (settings.learningRate() * settings.weightDecay()) : 0);
    }
}
