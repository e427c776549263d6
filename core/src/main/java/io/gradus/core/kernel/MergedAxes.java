package io.gradus.core.kernel;

import java.util.Arrays;

/**
 * Axes of a row-major walk over memory, each with a length and a stride, as few as will do: axes of one element are left out, and
 * neighbours that continue each other are one. There is one axis at least.
 *
 * @param lengths how many elements each axis has
 * @param strides how far apart they lie; 0 where an axis is broadcast
 */
public record MergedAxes(long[] lengths, long[] strides) {

    /** The same walk over fewer axes. */
    public static MergedAxes of(long[] lengths, long[] strides) {
        long[] mergedLengths = new long[lengths.length + 1];
        long[] mergedStrides = new long[lengths.length + 1];
        int merged = 0;
        for (int i = 0; i < lengths.length; i++) {
            if (lengths[i] == 1) {
                continue;
            }
            if (merged > 0 && mergedStrides[merged - 1] == lengths[i] * strides[i]) {
                mergedLengths[merged - 1] *= lengths[i];
            } else {
                mergedLengths[merged++] = lengths[i];
            }
            mergedStrides[merged - 1] = strides[i];
        }
        if (merged == 0) {
            mergedLengths[merged++] = 1;
        }
        return new MergedAxes(Arrays.copyOf(mergedLengths, merged), Arrays.copyOf(mergedStrides, merged));
    }
}
