package io.gradus.core.kernel;

import java.util.Arrays;

/**
 * The 256 numbers that an 8-bit code represents, from 3e-7 to 1 (dynamic quantization; Dettmers et al. 2022, section 1.3 and
 * appendix F). The decade below 10⁻ᵏ, k = 0 … 6, is divided into equal parts, each represented by its midpoint; each decade has
 * twice as many parts as the one below. Unsigned, these are 2, 4, … 128 parts; signed, 1, 2, … 64 on each side of 0. Together
 * with 0 and 1 that makes 256.
 *
 * <p>A value gets the code of the nearest number, or of the lower one if two are equally near. There is one exception: in the
 * unsigned map a positive value never becomes 0. Adam divides by the root of such a value, and rounding a small one to 0 would
 * make a step of m/ε, thousands of times too large.
 */
public final class DynamicMap {
    /** −1 to 1: for first moments. */
    public static final DynamicMap SIGNED = new DynamicMap(true);
    /** 0 to 1: for second moments. */
    public static final DynamicMap UNSIGNED = new DynamicMap(false);

    private static final int DECADES = 7;

    private final float[] values;
    /** Numbers above boundary i have codes above i. */
    private final float[] boundaries = new float[256];
    /** The smallest code of the floats whose upper 16 bits are the index; their codes differ by at most one. */
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

    /** The number of boundaries below a number; 0 for NaN. */
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
     * The number that a code represents.
     *
     * @param code 0 to 255; larger codes represent larger numbers
     */
    public float value(int code) {
        return values[code];
    }

    /**
     * The largest number with this code or a lower one: the code of a number is the number of boundaries below it.
     *
     * @param code 0 to 255; the last boundary is infinite
     */
    public float boundary(int code) {
        return boundaries[code];
    }

    /**
     * The code of a number: the number of boundaries below it. Avoids a branch on the number, which would be unpredictable.
     *
     * @param number from −1 or 0 to 1; numbers outside get the code of the nearest end, and NaN gets 0
     */
    public int code(float number) {
        int code = least[Float.floatToRawIntBits(number) >>> 16] & 0xFF;
        return number > boundaries[code] ? code + 1 : code;
    }
}
