package io.gradus.gpu;

import io.gradus.gpu.runtime.Kernel;
import uk.ac.manchester.tornado.api.KernelContext;

/**
 * Reductions of rows. The neighboring work-items of a group that process one row are its lanes: one lane for a short
 * row, a whole group for a long one, always a power of two. Each lane reads every {@code lanes}-th element of its row.
 * The lanes then combine their results in a tree in local memory.
 *
 * <p>All items of a group must reach the same barriers, so items beyond the last row take part with an empty row.
 * Methods allocate the local memory that they use: TornadoVM compiles wrong indices for a local array that is passed to
 * a method.
 */
final class Rows {
    /** Work-items per group. */
    static final int GROUP = Kernel.GROUP;
    /** A row gets more lanes until each has at most this many elements. */
    private static final int OF_A_LANE = 8;

    private Rows() {}

    /** The number of lanes for rows of a length. */
    static int lanes(long length) {
        int lanes = 1;
        while (lanes < GROUP && lanes * OF_A_LANE < length) {
            lanes *= 2;
        }
        return lanes;
    }

    // ---- for kernels ----

    /** The index of this item among the lanes of its row. */
    static int lane(KernelContext c, int lanes) {
        int item = c.localIdx;
        return item & (lanes - 1);
    }

    /** The sum over the lanes of a row, returned to all of them. */
    static float sum(KernelContext c, int lanes, float value) {
        float[] shared = c.allocateFloatLocalArray(GROUP);
        int item = c.localIdx;
        int lane = item & (lanes - 1);
        shared[item] = value;
        c.localBarrier();
        for (int half = lanes >> 1; half > 0; half >>= 1) {
            if (lane < half) {
                shared[item] += shared[item + half];
            }
            c.localBarrier();
        }
        float sum = shared[item - lane];
        c.localBarrier();
        return sum;
    }

    /** The largest value over the lanes of a row, returned to all of them; a NaN may be ignored. */
    static float max(KernelContext c, int lanes, float value) {
        float[] shared = c.allocateFloatLocalArray(GROUP);
        int item = c.localIdx;
        int lane = item & (lanes - 1);
        shared[item] = value;
        c.localBarrier();
        for (int half = lanes >> 1; half > 0; half >>= 1) {
            if (lane < half) {
                float other = shared[item + half];
                shared[item] = other > shared[item] ? other : shared[item];
            }
            c.localBarrier();
        }
        float max = shared[item - lane];
        c.localBarrier();
        return max;
    }
}
