package io.gradus.core.cpu.scalar;

/**
 * The factors of {@link io.gradus.core.kernel.OptimizerStepKernels#proximalStep}, computed in double and rounded to float.
 *
 * <p>The weight w moves the fraction k = s/(1 + s) of the way to the anchor a. The formula starts from the nearer end,
 *
 * <pre>{@code
 * w − k·(w − a)           if k < ½
 * a + (1 − k)·(w − a)     otherwise
 * }</pre>
 *
 * so that k = 0 gives exactly w and k = 1 exactly a. Both factors are stored, because in float 1 − k would cancel.
 *
 * @param strength s
 * @param fraction k, used only if below ½; NaN if s is infinite
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
