package io.gradus.core.cpu.scalar;

/**
 * The numbers of {@link io.gradus.core.kernel.OptimizerStepKernels#proximalStep}, worked out in double and used in float.
 *
 * <p>With k = s/(1 + s) the weight goes the fraction k of its way to the anchor, and 1 − k = 1/(1 + s) of the way is left. It
 * is reckoned from the nearer end,
 *
 * <pre>{@code
 * w − k·(w − a)           while k is below a half
 * a + (1 − k)·(w − a)     from there on
 * }</pre>
 *
 * so that k = 0 gives w and k = 1 gives a to the bit. Both factors are kept: in float, 1 − k would lose the digits of a small k.
 *
 * @param strength s
 * @param fraction k; of use below a half only: it is NaN when s is infinite
 * @param rest 1 − k
 */
public record ProximalStep(float strength, float fraction, float rest) {

    public static ProximalStep of(double strength) {
        double rest = 1 / (1 + strength);
        return new ProximalStep((float) strength, (float) (strength * rest), (float) rest);
    }

    static float towards(float weight, float anchor, float fraction, float rest) {
        float way = weight - anchor;
        return rest > 0.5f ? Math.fma(-fraction, way, weight) : Math.fma(rest, way, anchor);
    }
}
