package io.gradus.gpu.math;

import uk.ac.manchester.tornado.api.math.TornadoMath;

/**
 * Functions of one float, for kernels. They only rely on an accurate {@code exp} and {@code floor} of the device: PTX
 * has only an approximate tanh, sine and cosine, and TornadoVM supports erf on no device.
 */
public final class FloatMath {
    /** Beyond this |x| {@code tanh} is computed with {@code exp}. */
    private static final float SMALL = 0.6f;

    // (tanh x − x)/x³ in powers of x² for |x| ≤ 0.6: minimax polynomial by Lawson's iteration, relative
    // error of tanh x 2.8e−9.
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

    // 2/π as a sum of parts of 24 bits: the product of a float and a part is exact in double.
    private static final double P0 = 0xA2F983p-24;
    private static final double P1 = 0x6E4E44p-48;
    private static final double P2 = 0x1529FCp-72;
    private static final double P3 = 0x2757D1p-96;
    private static final double P4 = 0xF534DDp-120;
    private static final double P5 = 0xC0DB62p-144;
    private static final double P6 = 0x95993Cp-168;
    private static final double P7 = 0x439041p-192;

    private FloatMath() {}

    /** {@code eˣ}. */
    public static float exp(float x) {
        return TornadoMath.exp(x);
    }

    /** {@code 1/(1 + e⁻ˣ)}. */
    public static float sigmoid(float x) {
        return 1 / (1 + exp(-x));
    }

    /** {@code 1 − 2/(e²ˣ + 1)}, and near 0, where that loses precision, a polynomial. NaN stays NaN. */
    public static float tanh(float x) {
        float z = x * x;
        float near = x + x * z * (T0 + z * (T1 + z * (T2 + z * (T3 + z * T4))));
        float size = x < 0 ? -x : x;
        float far = 1 - 2 / (exp(2 * size) + 1);
        return size < SMALL ? near : x < 0 ? -far : far;
    }

    /** {@code sin x}; NaN for an infinite x. */
    public static float sin(float x) {
        float y = sine(x, 0);
        return x < 0 ? -y : y;
    }

    /** {@code cos x}; NaN for an infinite x. */
    public static float cos(float x) {
        return sine(x, 1);
    }

    /**
     * The sine of |x| plus a number of quarter turns: a Taylor polynomial of the distance to the nearest quarter turn.
     * The angle in quarter turns, modulo whole turns, has about 50 correct bits for any float.
     */
    private static float sine(float x, int quarters) {
        double size = x < 0 ? -x : x;
        double turns = remainder(size * P0) + remainder(size * P1) + remainder(size * P2) + remainder(size * P3);
        turns += remainder(size * P4) + remainder(size * P5) + remainder(size * P6) + remainder(size * P7);
        int nearest = (int) (turns + 0.5);
        float r = (float) ((turns - nearest) * (Math.PI / 2));
        float z = r * r;
        float sine = r + r * z * (-1 / 6f + z * (1 / 120f + z * (-1 / 5040f + z * (1 / 362880f))));
        float cosine = 1 + z * (-0.5f + z * (1 / 24f + z * (-1 / 720f + z * (1 / 40320f - z * (1 / 3628800f)))));
        int turn = nearest + quarters & 3;
        float y = (turn & 1) == 0 ? sine : cosine;
        return turn > 1 ? -y : y;
    }

    /** A number of quarter turns modulo whole turns. */
    private static double remainder(double turns) {
        return turns - 4 * TornadoMath.floor(turns * 0.25);
    }

    /** {@code exp(−x²/2)}; 0 for |x| ≥ 15. */
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

    /** {@code min(|x|, 15)}; NaN stays NaN. */
    private static float cut(float x) {
        float size = x < 0 ? -x : x;
        return size > 15 ? 15 : size;
    }
}
