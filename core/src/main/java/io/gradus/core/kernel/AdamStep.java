package io.gradus.core.kernel;

/**
 * The constants of one step of {@link OptimizerStepKernels#adam}.
 *
 * @param weightDecay λ
 * @param decoupled whether weight decay acts on the weight (AdamW) or is added to the gradient (Adam with L2)
 * @param gradientScale factor of the gradient
 * @param step t, from 1
 */
public record AdamStep(
        double learningRate,
        double beta1,
        double beta2,
        double epsilon,
        double weightDecay,
        boolean decoupled,
        double gradientScale,
        long step) {

    /**
     * The factors of the step in float, with both bias corrections folded in:
     *
     * <pre>{@code
     * g' = gradientScale·g + coupledDecay·θ
     * m  = beta1·m + oneMinusBeta1·g'          v = beta2·v + oneMinusBeta2·g'²
     * θ −= stepSize·m/(√v·inverseSqrtBiasCorrection2 + epsilon) + decoupledDecay·θ
     *
     * stepSize = learningRate/(1 − β₁ᵗ)        inverseSqrtBiasCorrection2 = 1/√(1 − β₂ᵗ)
     * }</pre>
     *
     * Weight decay is subtracted rather than multiplied as {@code 1 − decay}, which float would round to a multiple of 6e−8:
     * a tenth of the decay at a learning rate of 2e−5 and a weight decay of 0.01.
     *
     * @param coupledDecay weight decay that is added to the gradient (Adam), or 0
     * @param decoupledDecay weight decay times the learning rate (AdamW), or 0
     */
    public record Factors(
            float gradientScale,
            float coupledDecay,
            float beta1,
            float oneMinusBeta1,
            float beta2,
            float oneMinusBeta2,
            float stepSize,
            float inverseSqrtBiasCorrection2,
            float epsilon,
            float decoupledDecay) {}

    /** The factors, computed in double and rounded to float. */
    public Factors factors() {
        return new Factors(
                (float) gradientScale,
                decoupled ? 0 : (float) weightDecay,
                (float) beta1,
                (float) (1 - beta1),
                (float) beta2,
                (float) (1 - beta2),
                (float) (learningRate / (1 - Math.pow(beta1, step))),
                (float) (1 / Math.sqrt(1 - Math.pow(beta2, step))),
                (float) epsilon,
                decoupled ? (float) (learningRate * weightDecay) : 0);
    }
}
