package io.gradus.gpu;

import io.gradus.core.Shape;
import io.gradus.core.kernel.MergedAxes;
import io.gradus.gpu.runtime.Kernel;
import io.gradus.gpu.runtime.Launcher;
import java.util.Arrays;
import uk.ac.manchester.tornado.api.types.arrays.IntArray;

/**
 * A row-major walk over axes that each have a length and a stride, in order to read memory in another order. The
 * strides of a broadcast operand are 0. Adjacent axes that form one run are merged, so most walks have a single axis
 * and the kernel needs no division.
 */
final class StridedView {
    private static final int MOST = Launcher.MOST_INTS - Kernel.INTS;

    private final int[] lengths;
    private final int[] strides;

    StridedView(long[] lengths, long[] strides) {
        MergedAxes merged = MergedAxes.of(lengths, strides);
        this.lengths = Launcher.ints(merged.lengths());
        this.strides = Launcher.ints(merged.strides());
    }

    /** A tensor of shape {@code from}, broadcast to the shape {@code to}. */
    static StridedView broadcast(Shape from, Shape to) {
        return new StridedView(to.toArray(), from.broadcastStrides(to));
    }

    /** Evenly spaced elements. */
    static StridedView line(long length, long stride) {
        return new StridedView(new long[] {length}, new long[] {stride});
    }

    /**
     * Appends views to the integers of a launch: the rank, lengths and strides of each view.
     *
     * @throws IllegalArgumentException if they do not fit in a descriptor
     */
    static int[] describe(int[] ints, StridedView... views) {
        int[] all = Arrays.copyOf(ints, MOST);
        int at = ints.length;
        for (StridedView view : views) {
            int rank = view.lengths.length;
            if (at + 1 + 2 * rank > MOST) {
                throw new IllegalArgumentException("gpu: operands of " + rank
                        + " axes with different broadcasting do not fit in the descriptor of a launch; "
                        + "reshape them to fewer axes");
            }
            all[at] = rank;
            System.arraycopy(view.lengths, 0, all, at + 1, rank);
            System.arraycopy(view.strides, 0, all, at + 1 + rank, rank);
            at += 1 + 2 * rank;
        }
        return Arrays.copyOf(all, at);
    }

    /** For kernels: the index in the descriptor of the view after another. */
    static int next(IntArray d, int view) {
        return view + 2 * d.get(view) + 1;
    }

    /**
     * For kernels: the offset, from the first element, of the element at a position of the walk.
     *
     * @param view the index of the view in the descriptor
     */
    static int source(IntArray d, int view, int place) {
        int rank = d.get(view);
        int source = 0;
        int rest = place;
        for (int axis = rank; axis > 1; axis--) {
            int length = d.get(view + axis);
            int outer = rest / length;
            source += (rest - outer * length) * d.get(view + rank + axis);
            rest = outer;
        }
        return source + rest * d.get(view + rank + 1);
    }
}
