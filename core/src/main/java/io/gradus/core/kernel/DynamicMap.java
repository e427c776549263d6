package io.gradus.core.kernel;

import java.util.Arrays;

/**
 * The 256 numbers that a code of 8 bits can stand for: many near 0 and 1, from 3e-7 on (dynamic quantisation; Dettmers et al.
 * 2022, section 1.3 and appendix F). The decade below 10⁻ᵏ, k = 0 … 6, is cut into equal parts, and each part is stood for by
 * its middle; each decade has twice as many parts as the one below. Without a sign these are 2, 4, … 128 parts, with one 1, 2, …
 * 64 on either side of 0; together with 0 and 1 that makes 256.
 *
 * <p>A code is that of the nearest number; of two that are equally near, of the lower. There is one exception, for numbers
 * without a sign: what is above 0 never becomes 0. Adam divides by the root of such a number, and where a gradient was small and
 * then fails to come, a 0 there would make a step of m/ε, thousands of times the usual one, out of a rounding.
 */
public final class DynamicMap {
    /** −1 to 1: for first moments. */
    public static final DynamicMap SIGNED = new DynamicMap(true);
    /** 0 to 1: for second moments. */
    public static final DynamicMap UNSIGNED = new DynamicMap(false);

    private static final int DECADES = 7;

    private final float[] values;
    /** What lies above boundary i has a code above i. */
    private final float[] boundaries = new float[256];
    /** The least code of all floats whose upper 16 bits are the index; their codes differ by one at most. */
    private final byte[] least = new byte[1 << 16];

    private DynamicMap(boolean signed) {
        values = values(signed);
        for (int i = 0; i < 255; i++) {
            boundaries[i] = (float) (((double) values[i] + values[i + 1]) / 2);
        }
        boundaries[255] = Float.POSITIVE_INFINITY;
        if (!signed) {
            boundaries[0] = 0;
        }
        for (int upper = 0; upper < least.length; upper++) {
            boolean negative = upper >= 1 << 15;
            least[upper] = (byte) search(Float.intBitsToFloat(upper << 16 | (negative ? 0xFFFF : 0)));
        }
    }

    /** How many boundaries lie below a number; none below NaN. */
    private int search(float number) {
        int code = 0;
        while (code < 255 && number > boundaries[code]) {
            code++;
        }
        return code;
    }

    private static float[] values(boolean signed) {
        float[] values = new float[256]; // one of them is 0
        int count = 1;
        values[count++] = 1;
        for (int decade = 0; decade < DECADES; decade++) {
            int parts = signed ? 1 << decade : 2 << decade;
            double top = Math.pow(10, decade - DECADES + 1);
            for (int part = 0; part < parts; part++) {
                float middle = (float) (top * (0.1 + 0.9 * (part + 0.5) / parts));
                values[count++] = middle;
                if (signed) {
                    values[count++] = -middle;
                }
            }
        }
        Arrays.sort(values);
        return values;
    }

    /**
     * What a code stands for.
     *
     * @param code 0 to 255; greater codes stand for greater numbers
     */
    public float value(int code) {
        return values[code];
    }

    /**
     * The largest number that has this code or a lower one: a number's code is how many boundaries lie below it.
     *
     * @param code 0 to 255; the last boundary is infinite
     */
    public float boundary(int code) {
        return boundaries[code];
    }

    /**
     * The code of a number: how many boundaries lie below it. Without a branch on the number, which no processor could guess.
     *
     * @param number from −1 or 0 to 1; what lies beyond has the code of the end, and NaN has 0
     */
    public int code(float number) {
        int code = least[Float.floatToRawIntBits(number) >>> 16] & 0xFF;
        return number > boundaries[code] ? code + 1 : code;
    }
}
