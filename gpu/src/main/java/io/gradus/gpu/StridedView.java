package io.gradus.gpu;

import io.gradus.core.Shape;
import io.gradus.core.kernel.MergedAxes;
import io.gradus.gpu.runtime.Kernel;
import io.gradus.gpu.runtime.Launcher;
import java.util.Arrays;
import uk.ac.manchester.tornado.api.types.arrays.IntArray;

/**
 * Another order of reading memory: a row-major walk over axes of which each has a length and a stride. A broadcast operand
 * has strides of 0. Axes that continue each other are merged, so that most walks have one axis, and a kernel divides nothing.
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

    /** A tensor of shape {@code from}, read as if it had the shape {@code to}. */
    static StridedView broadcast(Shape from, Shape to) {
        return new StridedView(to.toArray(), from.broadcastStrides(to));
    }

    /** Elements that lie equally far apart. */
    static StridedView line(long length, long stride) {
        return new StridedView(new long[] {length}, new long[] {stride});
    }

    /**
     * The integers of a launch, with those that describe views after them: of each the rank, lengths and strides.
     *
     * @throws IllegalArgumentException when they are more than a descriptor holds
     */
    static int[] describe(int[] ints, StridedView... views) {
        int[] all = Arrays.copyOf(ints, MOST);
        int at = ints.length;
        for (StridedView view : views) {
            int rank = view.lengths.length;
            if (at + 1 + 2 * rank > MOST) {
                throw new IllegalArgumentException("gpu: operands of " + rank
                        + " axes that differ in how they are broadcast are more than a launch can describe; "
                        + "reshape them to fewer axes");
            }
            all[at] = rank;
            System.arraycopy(view.lengths, 0, all, at + 1, rank);
            System.arraycopy(view.strides, 0, all, at + 1 + rank, rank);
            at += 1 + 2 * rank;
        }
        return Arrays.copyOf(all, at);
    }

    /** In a kernel: where the view that follows another begins in the descriptor. */
    static int next(IntArray d, int view) {
        return view + 2 * d.get(view) + 1;
    }

    /**
     * In a kernel: where the element at a place of the walk lies, from the first on.
     *
     * @param view where the view begins in the descriptor
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
