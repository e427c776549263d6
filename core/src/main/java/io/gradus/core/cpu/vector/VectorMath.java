package io.gradus.core.cpu.vector;

import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.IntVector;
import jdk.incubator.vector.VectorMask;
import jdk.incubator.vector.VectorOperators;

/**
 * Math functions of vectors, without branches or tables, so that values stay in registers. Errors are relative to the exact
 * result, in units in the last place.
 *
 * <p>The exponential is {@code eˣ = 2ⁿ·eʳ}: n is the integer nearest to x/ln 2, so that {@code r = x − n·ln 2} has a
 * magnitude of at most ½ ln 2, and eʳ is a polynomial. Ranges are limited by comparing and blending, two instructions; the
 * Vector API's {@code max} and {@code min} take five.
 */
public final class VectorMath {
    // Constants are vectors, because the compiler gives up on loops with too many broadcasts.
    public static final FloatVector ZERO = Lanes.zero();
    public static final FloatVector ONE = Lanes.broadcast(1);
    private static final FloatVector TWO = Lanes.broadcast(2);
    private static final FloatVector MINUS_HALF = Lanes.broadcast(-0.5f);
    private static final FloatVector MINUS_ONE = Lanes.broadcast(-1);
    private static final FloatVector MINUS_TWO = Lanes.broadcast(-2);
    private static final FloatVector INFINITY = Lanes.broadcast(Float.POSITIVE_INFINITY);

    private static final FloatVector LOG2_E = Lanes.broadcast(1.44269504f);
    private static final FloatVector MINUS_LN2 = Lanes.broadcast(-0.6931472f);
    // ln 2 in two parts. The upper part has 15 bits, so its product with an integer below 256 is exact.
    private static final FloatVector LN2_UPPER = Lanes.broadcast(0x1.62e4p-1f);
    private static final FloatVector MINUS_LN2_UPPER = LN2_UPPER.neg();
    private static final FloatVector LN2_LOWER = Lanes.broadcast(0x1.7f7d1cp-20f);
    private static final FloatVector MINUS_LN2_LOWER = LN2_LOWER.neg();
    /** Adding this to a number of moderate size rounds it to an integer, in the lowest bits of the sum. */
    private static final FloatVector ROUNDER = Lanes.broadcast(0x1.8p23f);
    /** The same, and the integer includes the bias of a float's exponent. */
    private static final FloatVector BIASED_ROUNDER = Lanes.broadcast(0x1.8p23f + 127);
    /** The number of fraction bits of a float. */
    private static final int EXPONENT = 23;

    /** From here eˣ overflows. */
    private static final FloatVector OVERFLOW = Lanes.broadcast(0x1.62e43p6f); // 88.72284
    /** Below this, eˣ is less than the smallest normal float. */
    private static final FloatVector UNDERFLOW = Lanes.broadcast(-0x1.5d589ep6f); // −87.33654

    // (eʳ − 1 − r)/r² for |r| ≤ ½ ln 2: minimax by Lawson's iteration, error 3.1e−9 relative to eʳ.
    private static final FloatVector E2 = Lanes.broadcast(0x1.fffffcp-2f);
    private static final FloatVector E3 = Lanes.broadcast(0x1.555492p-3f);
    private static final FloatVector E4 = Lanes.broadcast(0x1.5558bp-5f);
    private static final FloatVector E5 = Lanes.broadcast(0x1.12398ep-7f);
    private static final FloatVector E6 = Lanes.broadcast(0x1.6a4d6p-10f);

    // (eʳ − 1)/r, one degree less: 9.2e−8 relative to eʳ.
    private static final FloatVector S1 = Lanes.broadcast(0x1.fffff6p-1f);
    private static final FloatVector S2 = Lanes.broadcast(0x1.fffdc4p-2f);
    private static final FloatVector S3 = Lanes.broadcast(0x1.555a8p-3f);
    private static final FloatVector S4 = Lanes.broadcast(0x1.573ad8p-5f);
    private static final FloatVector S5 = Lanes.broadcast(0x1.0fa032p-7f);

    /** For 2x = v below this, tanh is −1. */
    private static final FloatVector TANH_IS_ONE = Lanes.broadcast(-40);

    // ((2Φ(z))⁻¹ᐟ¹⁶ − 1)/z in powers of z, for z ≤ 0: the same iteration, relative errors of Φ weighted by (2Φ)^0.6.
    private static final FloatVector T1 = Lanes.broadcast(-4.98678700e-02f);
    private static final FloatVector T2 = Lanes.broadcast(2.11366895e-02f);
    private static final FloatVector T3 = Lanes.broadcast(-3.28826861e-03f);
    private static final FloatVector T4 = Lanes.broadcast(2.82228570e-05f);
    private static final FloatVector T5 = Lanes.broadcast(-5.07864988e-05f);
    private static final FloatVector T6 = Lanes.broadcast(7.38546525e-06f);
    private static final FloatVector T7 = Lanes.broadcast(1.09752295e-06f);
    private static final FloatVector T8 = Lanes.broadcast(1.54904418e-07f);
    private static final FloatVector FOUR = Lanes.broadcast(4);
    private static final FloatVector FARTHEST = Lanes.broadcast(-13.2f);

    // (ln(1 + f) − f + f²/2)/f³ for 1 + f from √½ to √2: the same iteration, 5.8e−9 relative to the logarithm.
    private static final FloatVector L3 = Lanes.broadcast(0x1.555554p-2f);
    private static final FloatVector L4 = Lanes.broadcast(-0x1.000226p-2f);
    private static final FloatVector L5 = Lanes.broadcast(0x1.99a01ap-3f);
    private static final FloatVector L6 = Lanes.broadcast(-0x1.547286p-3f);
    private static final FloatVector L7 = Lanes.broadcast(0x1.22d962p-3f);
    private static final FloatVector L8 = Lanes.broadcast(-0x1.0d82b2p-3f);
    private static final FloatVector L9 = Lanes.broadcast(0x1.055d82p-3f);
    private static final FloatVector L10 = Lanes.broadcast(-0x1.38c41ap-4f);
    private static final int ROOT_HALF = Float.floatToRawIntBits(0.70710678f);

    // π/2 in three parts, each the float nearest to the remainder.
    private static final FloatVector TWO_OVER_PI = Lanes.broadcast(0x1.45f306p-1f);
    private static final FloatVector MINUS_HALF_PI_1 = Lanes.broadcast(-0x1.921fb6p0f);
    private static final FloatVector MINUS_HALF_PI_2 = Lanes.broadcast(0x1.777a5cp-25f);
    private static final FloatVector MINUS_HALF_PI_3 = Lanes.broadcast(0x1.ee59dap-50f);

    // (sin r − r)/r³ and (cos r − 1 + r²/2)/r⁴ in powers of r² for |r| ≤ π/4: the same iteration, 1.6e−10 and 1.2e−10.
    private static final FloatVector SIN_3 = Lanes.broadcast(-0x1.555556p-3f);
    private static final FloatVector SIN_5 = Lanes.broadcast(0x1.111174p-7f);
    private static final FloatVector SIN_7 = Lanes.broadcast(-0x1.a0595ap-13f);
    private static final FloatVector SIN_9 = Lanes.broadcast(0x1.7c3068p-19f);
    private static final FloatVector COS_4 = Lanes.broadcast(0x1.55554ap-5f);
    private static final FloatVector COS_6 = Lanes.broadcast(-0x1.6c0c28p-10f);
    private static final FloatVector COS_8 = Lanes.broadcast(0x1.99e80cp-16f);

    private VectorMath() {}

    /**
     * eˣ to within 1 unit where it is a normal float; 0 below (for x &lt; −87.33654). Overflows to infinity, keeps NaN.
     *
     * <p>n is added to the exponent of eʳ as an integer. That would corrupt NaN and overflow for large x; both are replaced by
     * x·∞.
     */
    public static FloatVector exp(FloatVector x) {
        FloatVector rounded = x.fma(LOG2_E, ROUNDER);
        FloatVector n = rounded.sub(ROUNDER);
        FloatVector r = n.fma(MINUS_LN2_UPPER, x);
        r = n.fma(MINUS_LN2_LOWER, r);
        FloatVector power = powerOf(r)
                .reinterpretAsInts()
                .add(rounded.reinterpretAsInts().lanewise(VectorOperators.LSHL, EXPONENT))
                .reinterpretAsFloats()
                .blend(ZERO, x.compare(VectorOperators.LT, UNDERFLOW));
        return x.mul(INFINITY).blend(power, x.compare(VectorOperators.LT, OVERFLOW));
    }

    /** eʳ for |r| ≤ ½ ln 2. */
    private static FloatVector powerOf(FloatVector r) {
        FloatVector p = r.fma(E6, E5);
        p = p.fma(r, E4);
        p = p.fma(r, E3);
        p = p.fma(r, E2);
        p = p.fma(r, ONE);
        return p.fma(r, ONE);
    }

    /**
     * eˣ for x ≤ 0 with the fewest instructions: to within 2 units down to −5, 5 at −87.33654, and 0 below. Exact at 0; keeps
     * NaN; −∞ gives 0. For the terms of a softmax, whose argument x has a larger rounding error than this.
     */
    public static FloatVector expOfNonPositive(FloatVector x) {
        FloatVector rounded = x.fma(LOG2_E, BIASED_ROUNDER);
        FloatVector r = rounded.sub(BIASED_ROUNDER).fma(MINUS_LN2, x);
        FloatVector p = r.fma(S5, S4);
        p = p.fma(r, S3);
        p = p.fma(r, S2);
        p = p.fma(r, S1);
        p = p.fma(r, ONE);
        return p.mul(powerOfTwo(rounded)).blend(ZERO, x.compare(VectorOperators.LT, UNDERFLOW));
    }

    /** 2ⁿ from the sum of n and {@link #BIASED_ROUNDER}, whose lowest bits become the exponent. */
    private static FloatVector powerOfTwo(FloatVector rounded) {
        return rounded.reinterpretAsInts()
                .lanewise(VectorOperators.LSHL, EXPONENT)
                .reinterpretAsFloats();
    }

    /**
     * tanh x to within 2.5 units; odd; keeps NaN.
     *
     * <p>{@code tanh(−|x|) = e/(e + 2)} with {@code e = exp(−2|x|) − 1 = 2ⁿ·(eʳ − 1) + (2ⁿ − 1)}: no cancellation near 0,
     * where n is 0. The rounding error of e + 2 is corrected.
     */
    public static FloatVector tanh(FloatVector x) {
        FloatVector v = x.abs().mul(MINUS_TWO);
        FloatVector rounded = v.fma(LOG2_E, BIASED_ROUNDER);
        FloatVector r = rounded.sub(BIASED_ROUNDER).fma(MINUS_LN2, v);
        FloatVector p = r.fma(E6, E5);
        p = p.fma(r, E4);
        p = p.fma(r, E3);
        p = p.fma(r, E2);
        p = p.fma(r.mul(r), r);
        FloatVector power = powerOfTwo(rounded);
        FloatVector e = power.fma(p, power.sub(ONE)).blend(MINUS_ONE, v.compare(VectorOperators.LT, TANH_IS_ONE));
        FloatVector denominator = e.add(TWO);
        FloatVector y = e.div(denominator);
        FloatVector rounding = denominator.sub(TWO).sub(e);
        return copySign(rounding.fma(y, y), x);
    }

    /** The magnitudes of {@code x} with the signs of {@code sign}. */
    private static FloatVector copySign(FloatVector x, FloatVector sign) {
        return x.reinterpretAsInts()
                .lanewise(VectorOperators.BITWISE_BLEND, sign.reinterpretAsInts(), Integer.MIN_VALUE)
                .reinterpretAsFloats();
    }

    /** {@code 1/(1 + e⁻ˣ)} to within 5 units, 0 below −87.33654; keeps NaN. */
    public static FloatVector sigmoid(FloatVector x) {
        FloatVector e = expOfNonPositive(minusAbs(x));
        return ONE.blend(e, x.compare(VectorOperators.LT, ZERO)).div(e.add(ONE));
    }

    /** −|x|. */
    public static FloatVector minusAbs(FloatVector x) {
        return x.reinterpretAsInts().or(Integer.MIN_VALUE).reinterpretAsFloats();
    }

    /** max(−|x|, −13.2): beyond, the tails of the normal distribution round to 0. Keeps NaN. */
    public static FloatVector distanceFromMean(FloatVector x) {
        FloatVector z = minusAbs(x);
        return z.blend(FARTHEST, z.compare(VectorOperators.LT, FARTHEST));
    }

    /**
     * {@code exp(−z²/2)} to within 2 units, for z from {@link #distanceFromMean}. The rounding error of the square
     * is added to the remainder r.
     */
    public static FloatVector bell(FloatVector z) {
        FloatVector half = z.mul(MINUS_HALF);
        FloatVector rounded = half.fma(z.mul(LOG2_E), BIASED_ROUNDER);
        FloatVector n = rounded.sub(BIASED_ROUNDER);
        FloatVector r = half.fma(z, n.mul(MINUS_LN2_UPPER));
        r = n.fma(MINUS_LN2_LOWER, r);
        return powerOf(r).mul(powerOfTwo(rounded));
    }

    /**
     * The tail of the normal distribution, Φ(z), for z from {@link #distanceFromMean}: to within 7 units down to −2, where
     * most of it is; relative errors up to 2e−6 at −3 and 1.5e−4 at −5.
     *
     * <p>{@code Φ(z) = 1/(2(1 + u)¹⁶)} with a polynomial u is the form of Abramowitz &amp; Stegun (1964), 7.1.28, here with
     * eight newly fitted coefficients. It needs no exponential. {@code (1 + u)² − 1 = u(u + 2)} avoids the cancellation of
     * {@code 1 + u} near 0.
     */
    public static FloatVector normalTail(FloatVector z) {
        FloatVector p = z.fma(T8, T7);
        p = p.fma(z, T6);
        p = p.fma(z, T5);
        p = p.fma(z, T4);
        p = p.fma(z, T3);
        p = p.fma(z, T2);
        p = p.fma(z, T1);
        FloatVector u = p.mul(z); // (1 + u)¹ − 1
        u = u.mul(u.add(TWO)); // ² − 1
        u = u.mul(u.add(TWO)); // ⁴ − 1
        u = u.mul(u.add(TWO)); // ⁸ − 1
        return ONE.div(u.fma(u.fma(TWO, FOUR), TWO));
    }

    /**
     * ln x to within 1 unit; −∞ at 0, NaN below, ∞ at ∞; keeps NaN.
     *
     * <p>{@code ln x = k·ln 2 + ln(1 + f)}, where {@code x = 2ᵏ(1 + f)} and 1 + f is between √½ and √2; subnormal numbers are
     * multiplied by 2²³ first.
     */
    public static FloatVector log(FloatVector x) {
        VectorMask<Float> subnormal = x.compare(VectorOperators.LT, Float.MIN_NORMAL);
        IntVector bits = x.blend(x.mul(0x1p23f), subnormal).reinterpretAsInts();
        IntVector exponent = bits.sub(ROOT_HALF).lanewise(VectorOperators.ASHR, EXPONENT);
        FloatVector f = bits.sub(exponent.lanewise(VectorOperators.LSHL, EXPONENT))
                .reinterpretAsFloats()
                .sub(ONE);
        FloatVector k = (FloatVector) exponent.convert(VectorOperators.I2F, 0);
        k = k.blend(k.sub(23), subnormal);
        FloatVector p = f.fma(L10, L9);
        p = p.fma(f, L8);
        p = p.fma(f, L7);
        p = p.fma(f, L6);
        p = p.fma(f, L5);
        p = p.fma(f, L4);
        p = p.fma(f, L3);
        FloatVector square = f.mul(f);
        p = p.mul(f).fma(square, square.mul(MINUS_HALF));
        p = k.fma(LN2_LOWER, p).add(f);
        FloatVector y = k.fma(LN2_UPPER, p);
        y = x.blend(y, x.compare(VectorOperators.LT, INFINITY));
        y = y.blend(Float.NEGATIVE_INFINITY, x.compare(VectorOperators.EQ, ZERO));
        return y.blend(Float.NaN, x.compare(VectorOperators.LT, ZERO));
    }

    /** sin x to within 2 units for |x| ≤ 10,000; meaningless beyond; keeps NaN. */
    static FloatVector sin(FloatVector x) {
        return sinOfQuarters(x, 0);
    }

    /** cos x, likewise. */
    static FloatVector cos(FloatVector x) {
        return sinOfQuarters(x, 1);
    }

    /**
     * sin(x + quarters·π/2). With n the integer nearest to 2x/π and {@code r = x − n·π/2}, it is ±sin r or ±cos r, depending on
     * the lowest two bits of n + quarters.
     */
    private static FloatVector sinOfQuarters(FloatVector x, int quarters) {
        FloatVector rounded = x.fma(TWO_OVER_PI, ROUNDER);
        FloatVector n = rounded.sub(ROUNDER);
        FloatVector r = n.fma(MINUS_HALF_PI_1, x);
        r = n.fma(MINUS_HALF_PI_2, r);
        r = n.fma(MINUS_HALF_PI_3, r);
        FloatVector square = r.mul(r);
        FloatVector sin = square.fma(SIN_9, SIN_7).fma(square, SIN_5).fma(square, SIN_3);
        sin = sin.mul(square).fma(r, r);
        FloatVector cos = square.fma(COS_8, COS_6).fma(square, COS_4);
        cos = cos.fma(square, MINUS_HALF).fma(square, ONE);
        IntVector quarter = rounded.reinterpretAsInts().add(quarters);
        FloatVector y =
                sin.blend(cos, quarter.and(1).compare(VectorOperators.NE, 0).cast(Lanes.FLOATS));
        IntVector sign = quarter.and(2).lanewise(VectorOperators.LSHL, 30);
        return y.reinterpretAsInts().lanewise(VectorOperators.XOR, sign).reinterpretAsFloats();
    }
}
