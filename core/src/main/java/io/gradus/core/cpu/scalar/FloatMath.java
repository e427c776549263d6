package io.gradus.core.cpu.scalar;

import java.lang.foreign.MemorySegment;

/**
 * Functions of {@code float[]} arrays in loops that the JIT compiler vectorizes: no branches, one index for all arrays. Long
 * arrays are processed in blocks that stay in the first-level cache.
 *
 * <p>The compiler vectorizes neither {@code Float.intBitsToFloat} nor its inverse (JDK 25), so functions that need the bits of a
 * float copy memory to an {@code int[]}. One element takes about a nanosecond.
 *
 * <p>All functions use fused multiply-add; processors without that instruction get correct results, slowly.
 */
final class FloatMath {
    private static final int BLOCK = 2048;

    // exp: 2·ln 2 in two parts. The upper part has 17 bits, so its product with an integer below 128 is exact.
    private static final float HALF_LOG2_E = 0.72134752f;
    private static final float TWO_LN2_UPPER = 0x1.62e4p0f;
    private static final float TWO_LN2_LOWER = 0x1.7f7d1cp-19f;
    /** Adding this to a number of moderate size rounds it to an integer, in the lowest bits of the sum. */
    private static final float ROUNDER = 0x1.8p23f;

    // (eʳ − 1 − r)/r² for |r| ≤ ln 2: minimax by Lawson's iteration, error 6.1e−10 relative to eʳ.
    private static final float E0 = 5.000000115e-01f;
    private static final float E1 = 1.666667430e-01f;
    private static final float E2 = 4.166651704e-02f;
    private static final float E3 = 8.332495775e-03f;
    private static final float E4 = 1.389389418e-03f;
    private static final float E5 = 2.011513679e-04f;
    private static final float E6 = 2.443320720e-05f;

    // ((2Φ(−z))⁻¹ᐟ¹⁶ − 1)/z in powers of z: the same iteration, relative errors of Φ weighted by (2Φ)^0.6.
    private static final float T1 = 4.98678700e-02f;
    private static final float T2 = 2.11366895e-02f;
    private static final float T3 = 3.28826861e-03f;
    private static final float T4 = 2.82228570e-05f;
    private static final float T5 = 5.07864988e-05f;
    private static final float T6 = 7.38546525e-06f;
    private static final float T7 = -1.09752295e-06f;
    private static final float T8 = 1.54904418e-07f;

    /** Beyond this, the tails of the normal distribution round to 0. */
    static final float FARTHEST = 13.2f;

    private FloatMath() {}

    /**
     * {@code y = exp(scale·x + shift)} to within 1.5 units in the last place of the exponential itself; the argument is
     * rounded once. Overflows to infinity, underflows through the subnormal numbers to 0, keeps NaN. {@code y} may be
     * {@code x}.
     *
     * <p>With h the integer nearest to v/(2 ln 2), {@code eᵛ = 2ʰ·2ʰ·eʳ}, where {@code r = v − 2h·ln 2} has a magnitude of at
     * most ln 2. There are two factors of 2ʰ because 2²ʰ is not a normal float at the ends of the range.
     */
    static void exp(float[] x, float scale, float shift, float[] y, int n) {
        Block block = Block.OF_THREAD.get();
        for (int from = 0; from < n; from += BLOCK) {
            int count = Math.min(BLOCK, n - from);
            System.arraycopy(x, from, block.a, 0, count);
            int full = full(count);
            reduce(block.a, scale, shift, block.b, block.c, full);
            power(block, full);
            expOf(block.b, block.c, block.a, full);
            System.arraycopy(block.a, 0, y, from, count);
        }
    }

    /**
     * {@code y = tanh x} to within 3 units in the last place, keeps NaN. {@code y} may be {@code x}.
     *
     * <p>{@code tanh x = e/(e + 2)} with {@code e = exp(2x) − 1 = s·(eʳ − 1) + (s − 1)}, s = 2ʰ·2ʰ as above: no cancellation
     * near 0, where s is 1. From 2x = 40 the result is 1, so the argument is clamped there.
     */
    static void tanh(float[] x, float[] y, int n) {
        Block block = Block.OF_THREAD.get();
        for (int from = 0; from < n; from += BLOCK) {
            int count = Math.min(BLOCK, n - from);
            System.arraycopy(x, from, block.a, 0, count);
            int full = full(count);
            clamp(block.a, 20, full);
            reduce(block.a, 2, 0, block.b, block.c, full);
            power(block, full);
            tanhOf(block.b, block.c, block.a, full);
            System.arraycopy(block.a, 0, y, from, count);
        }
    }

    /** A length rounded up so that loops have no slow scalar remainder. Elements beyond the count are computed but unused. */
    private static int full(int count) {
        return count + 127 & -128;
    }

    /** {@code remainder = eʳ − 1}, and h in the lowest bits of {@code whole}. */
    private static void reduce(float[] x, float scale, float shift, float[] remainder, float[] whole, int n) {
        for (int i = 0; i < n; i++) {
            float v = Math.min(Math.max(Math.fma(x[i], scale, shift), -104f), 89f);
            float rounded = Math.fma(v, HALF_LOG2_E, ROUNDER);
            float h = rounded - ROUNDER;
            float r = Math.fma(h, -TWO_LN2_LOWER, Math.fma(h, -TWO_LN2_UPPER, v));
            float p = Math.fma(r, Math.fma(r, Math.fma(r, E6, E5), E4), E3);
            p = Math.fma(r, Math.fma(r, Math.fma(r, p, E2), E1), E0);
            remainder[i] = Math.fma(r * r, p, r);
            whole[i] = rounded;
        }
    }

    /** Replaces h in the lowest bits of {@code c} by 2ʰ, through the exponent field. */
    private static void power(Block block, int n) {
        MemorySegment.copy(block.cMemory, 0, block.bitsMemory, 0, n * 4L);
        exponents(block.bits, n);
        MemorySegment.copy(block.bitsMemory, 0, block.cMemory, 0, n * 4L);
    }

    private static void exponents(int[] bits, int n) {
        for (int i = 0; i < n; i++) {
            bits[i] = (bits[i] << 23) + (127 << 23);
        }
    }

    private static void expOf(float[] remainder, float[] power, float[] y, int n) {
        for (int i = 0; i < n; i++) {
            y[i] = (1 + remainder[i]) * power[i] * power[i];
        }
    }

    private static void tanhOf(float[] remainder, float[] power, float[] y, int n) {
        for (int i = 0; i < n; i++) {
            float s = power[i] * power[i];
            float e = Math.fma(s, remainder[i], s - 1);
            y[i] = e / (e + 2);
        }
    }

    private static void clamp(float[] x, float bound, int n) {
        for (int i = 0; i < n; i++) {
            x[i] = Math.min(Math.max(x[i], -bound), bound);
        }
    }

    /** {@code y = 1/(1 + e⁻ˣ)}, to within 3 units in the last place where it is above 1e−38. {@code y} may not be {@code x}. */
    static void sigmoid(float[] x, float[] y, int n) {
        exp(x, -1, 0, y, n);
        for (int i = 0; i < n; i++) {
            y[i] = 1 / (1 + y[i]);
        }
    }

    /**
     * The upper tail of the normal distribution, {@code 1 − Φ(|x|)}: to within 7 units in the last place up to |x| = 2, where
     * most of it is; relative errors up to 2e−6 at 3 and 1.5e−4 at 5.
     *
     * <p>{@code 1/(2(1 + u)¹⁶)} with a polynomial u in |x| is the form of Abramowitz &amp; Stegun (1964), 7.1.28, here with
     * eight newly fitted coefficients. {@code (1 + u)² − 1 = u(u + 2)} avoids the cancellation of {@code 1 + u} near 0.
     */
    static void normalTail(float[] x, float[] tail, int n) {
        for (int i = 0; i < n; i++) {
            float z = Math.min(Math.abs(x[i]), FARTHEST);
            float p = Math.fma(z, Math.fma(z, Math.fma(z, Math.fma(z, T8, T7), T6), T5), T4);
            float u = z * Math.fma(z, Math.fma(z, Math.fma(z, p, T3), T2), T1);
            float squared = u * (u + 2);
            float fourth = squared * (squared + 2);
            float eighth = fourth * (fourth + 2);
            tail[i] = 1 / Math.fma(eighth, Math.fma(eighth, 2, 4), 2);
        }
    }

    /**
     * {@code exp(−x²/2)}, with a relative error of 4e−7 while it is above 1e−38. The rounding error of x² is corrected:
     * {@code exp(−(q + δ)/2) = exp(−q/2)·(1 − δ/2)} to float accuracy. 0 from |x| = 15.
     */
    static void bell(float[] x, float[] bell, int n) {
        for (int i = 0; i < n; i++) {
            float z = Math.min(Math.abs(x[i]), 15);
            bell[i] = z * z;
        }
        exp(bell, -0.5f, 0, bell, n);
        for (int i = 0; i < n; i++) {
            float z = Math.min(Math.abs(x[i]), 15);
            float lost = Math.fma(z, z, -(z * z));
            bell[i] = Math.fma(bell[i] * lost, -0.5f, bell[i]);
        }
    }

    /** The sum of the first n elements: a binary tree within each block of 2,048, the blocks in order in double. */
    static double sum(float[] x, int n) {
        Block block = Block.OF_THREAD.get();
        double sum = 0;
        for (int from = 0; from < n; from += BLOCK) {
            int count = Math.min(BLOCK, n - from);
            System.arraycopy(x, from, block.a, 0, count);
            sum += tree(block.a, block.b, count);
        }
        return sum;
    }

    /** {@code Σ x·y} over the first n elements, summed in the order of {@link #sum}. */
    static double dot(float[] x, float[] y, int n) {
        Block block = Block.OF_THREAD.get();
        double sum = 0;
        for (int from = 0; from < n; from += BLOCK) {
            int count = Math.min(BLOCK, n - from);
            System.arraycopy(x, from, block.a, 0, count);
            System.arraycopy(y, from, block.b, 0, count);
            multiply(block.a, block.b, count);
            sum += tree(block.a, block.b, count);
        }
        return sum;
    }

    /** Adds the upper half to the lower half until few elements remain; {@code upper} is scratch. */
    private static float tree(float[] x, float[] upper, int n) {
        int length = n;
        while (length > 16) {
            int half = length >>> 1;
            System.arraycopy(x, length - half, upper, 0, half);
            add(x, upper, half);
            length -= half;
        }
        float sum = 0;
        for (int i = 0; i < length; i++) {
            sum += x[i];
        }
        return sum;
    }

    /** {@code x += y}. */
    static void add(float[] x, float[] y, int n) {
        for (int i = 0; i < n; i++) {
            x[i] += y[i];
        }
    }

    /** {@code x *= y}. */
    static void multiply(float[] x, float[] y, int n) {
        for (int i = 0; i < n; i++) {
            x[i] *= y[i];
        }
    }

    /** {@code x *= factor}. */
    static void scale(float[] x, float factor, int n) {
        for (int i = 0; i < n; i++) {
            x[i] *= factor;
        }
    }

    /**
     * The largest of the first n elements, for the shift of a softmax. A NaN may be returned or ignored; either way the row's
     * exponentials contain NaN.
     *
     * <p>Floats are ordered like their bits as ints, if all bits but the sign of negative numbers are inverted. The maximum of ints is
     * one instruction; that of Java floats is not.
     */
    static float max(float[] x, int n) {
        Block block = Block.OF_THREAD.get();
        MemorySegment memory = MemorySegment.ofArray(x);
        int max = ordered(Float.floatToRawIntBits(Float.NEGATIVE_INFINITY));
        for (int from = 0; from < n; from += BLOCK) {
            int count = Math.min(BLOCK, n - from);
            MemorySegment.copy(memory, from * 4L, block.bitsMemory, 0, count * 4L);
            max = Math.max(max, max(block.bits, count));
        }
        return Float.intBitsToFloat(ordered(max));
    }

    private static int max(int[] bits, int n) {
        int max = Integer.MIN_VALUE;
        for (int i = 0; i < n; i++) {
            max = Math.max(max, ordered(bits[i]));
        }
        return max;
    }

    /** Its own inverse. */
    private static int ordered(int bits) {
        return bits ^ (bits >> 31 & 0x7FFFFFFF);
    }

    /** Per-thread arrays. Their lengths differ so that equal indices have different lowest 12 address bits. */
    private static final class Block {
        static final ThreadLocal<Block> OF_THREAD = ThreadLocal.withInitial(Block::new);

        final float[] a = new float[BLOCK + 112];
        final float[] b = new float[BLOCK + 112];
        final float[] c = new float[BLOCK + 112];
        final int[] bits = new int[BLOCK + 112];
        final MemorySegment cMemory = MemorySegment.ofArray(c);
        final MemorySegment bitsMemory = MemorySegment.ofArray(bits);
    }
}
