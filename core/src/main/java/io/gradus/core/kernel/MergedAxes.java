package io.gradus.core.kernel;

import java.util.Arrays;

/**
 * The axes of a row-major traversal of memory, each with a length and a stride, reduced to as few as possible: axes of length 1
 * are dropped, and adjacent axes that are contiguous are merged. There is at least one axis.
 *
 * @param lengths the number of elements along each axis
 * @param strides the distance between them in elements; 0 along broadcast axes
 */
public record MergedAxes(long[] lengths, long[] strides) {

    /** Merges axes. */
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
