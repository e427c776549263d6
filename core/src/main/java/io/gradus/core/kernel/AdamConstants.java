package io.gradus.core.kernel;

import io.gradus.core.kernel.OptimizerStepKernels.Adam;

/**
 * The factors of one Adam step, computed in double and rounded to float, with both bias corrections folded in:
 *
 * <pre>{@code
 * g' = gradientScale·g + coupledDecay·θ
 * m  = beta1·m + oneMinusBeta1·g'          v = beta2·v + oneMinusBeta2·g'²
 * θ −= stepSize·m/(√v·inverseSqrtBiasCorrection2 + epsilon) + decoupledDecay·θ
 *
 * stepSize = learningRate/(1 − β₁ᵗ)        inverseSqrtBiasCorrection2 = 1/√(1 − β₂ᵗ)
 * }</pre>
 *
 * Weight decay is subtracted rather than multiplied as {@code 1 − decay}, which float would round to a multiple of 6e−8: a
 * tenth of the decay at a learning rate of 2e−5 and a weight decay of 0.01.
 *
 * @param gradientScale factor of the gradient
 * @param coupledDecay weight decay that is added to the gradient (Adam), or 0
 * @param decoupledDecay weight decay times the learning rate (AdamW), or 0
 */
public record AdamConstants(
        float gradientScale,
        float coupledDecay,
        float beta1,
        float oneMinusBeta1,
        float beta2,
        float oneMinusBeta2,
        float stepSize,
        float inverseSqrtBiasCorrection2,
        float epsilon,
        float decoupledDecay) {

    /** @param step from 1 */
    public static AdamConstants of(Adam settings, double gradientScale, long step) {
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
