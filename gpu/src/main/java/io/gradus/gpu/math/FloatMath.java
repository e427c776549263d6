package io.gradus.gpu.math;

import uk.ac.manchester.tornado.api.math.TornadoMath;

/**
 * Functions of one float, for kernels. They need nothing of the device but a good {@code exp}: PTX has only a rough tanh, and no
 * device an erf that TornadoVM knows.
 */
public final class FloatMath {
    /** Beyond it {@code tanh} is computed with {@code exp}. */
    private static final float SMALL = 0.6f;

    // (tanh x − x)/x³ in powers of x² for |x| ≤ 0.6: least largest error by Lawson's iteration, 2.8e−9
    // relative to tanh x.
    private static final float T0 = -0.333332986f;
    private static final float T1 = 0.133319244f;
    private static final float T2 = -0.0537838303f;
    private static final float T3 = 0.0207959712f;
    private static final float T4 = -0.00589515781f;

    // erfc(z)·exp(z²)/t in powers of t − 0.58, where t = 1/(1 + z/2): 4.4e−8 relative for 0 ≤ z ≤ 10.7.
    private static final float MIDDLE = 0.58f;
    private static final float C0 = 5.694087281e-01f;
    private static final float C1 = 7.790183399e-01f;
    private static final float C2 = 5.868515115e-01f;
    private static final float C3 = 8.518622274e-02f;
    private static final float C4 = -2.032235135e-01f;
    private static final float C5 = -5.245037783e-02f;
    private static final float C6 = 1.118384691e-01f;
    private static final float C7 = 1.053486656e-02f;
    private static final float C8 = -5.923109821e-02f;
    private static final float HALF_SQRT_HALF = 0.35355339f;

    private FloatMath() {}

    /** {@code eˣ}. */
    public static float exp(float x) {
        return TornadoMath.exp(x);
    }

    /** {@code 1/(1 + e⁻ˣ)}. */
    public static float sigmoid(float x) {
        return 1 / (1 + exp(-x));
    }

    /** {@code 1 − 2/(e²ˣ + 1)}, and near 0, where that loses digits, a polynomial. Odd; keeps NaN. */
    public static float tanh(float x) {
        float z = x * x;
        float near = x + x * z * (T0 + z * (T1 + z * (T2 + z * (T3 + z * T4))));
        float size = x < 0 ? -x : x;
        float far = 1 - 2 / (exp(2 * size) + 1);
        return size < SMALL ? near : x < 0 ? -far : far;
    }

    /** {@code exp(−x²/2)}; 0 from |x| = 15 on. */
    public static float bell(float x) {
        float z = cut(x);
        return exp(-0.5f * z * z);
    }

    /**
     * The upper tail of the normal distribution, {@code 1 − Φ(|x|) = ½·erfc(|x|/√2)}: {@code erfc z = t·P(t)·exp(−z²)} with
     * {@code t = 1/(1 + z/2)}, the form of Abramowitz &amp; Stegun (1964), 7.1.26, with a longer polynomial.
     *
     * @param bell {@link #bell} of x
     */
    public static float normalTail(float x, float bell) {
        float t = 1 / (1 + cut(x) * HALF_SQRT_HALF);
        float s = t - MIDDLE;
        float p = C4 + s * (C5 + s * (C6 + s * (C7 + s * C8)));
        p = C0 + s * (C1 + s * (C2 + s * (C3 + s * p)));
        return 0.5f * t * p * bell;
    }

    /** {@code min(|x|, 15)}; a NaN stays one. */
    private static float cut(float x) {
        float size = x < 0 ? -x : x;
        return size > 15 ? 15 : size;
    }
}
