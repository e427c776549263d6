package io.gradus.gpu;

import io.gradus.gpu.runtime.Kernel;
import uk.ac.manchester.tornado.api.KernelContext;

/**
 * Rows that are reduced. A row is worked on by neighbouring work-items of one group, its lanes: one for a short row, the whole
 * group for a long one, always a power of two. A lane takes every so many-th element of its row; then the lanes of a row combine
 * what they have in a tree, in memory that the group shares.
 *
 * <p>Every item of a group must come to the same barriers, those beyond the last row too. They take such a row to be empty.
 * The shared memory is allocated where it is used: handed to a method, TornadoVM would index it in bytes.
 */
final class Rows {
    /** Work-items of a group. */
    static final int GROUP = Kernel.GROUP;
    /** Elements from which on a row gets more lanes. */
    private static final int OF_A_LANE = 8;

    private Rows() {}

    /** How many lanes a row of a length gets. */
    static int lanes(long length) {
        int lanes = 1;
        while (lanes < GROUP && lanes * OF_A_LANE < length) {
            lanes *= 2;
        }
        return lanes;
    }

    // ---- in kernels ----

    /** The item's place among the lanes of its row. */
    static int lane(KernelContext c, int lanes) {
        int item = c.localIdx;
        return item & (lanes - 1);
    }

    /** The sum over the lanes of a row, which all of them get. */
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

    /** The largest over the lanes of a row, which all of them get; a NaN may be passed over. */
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
