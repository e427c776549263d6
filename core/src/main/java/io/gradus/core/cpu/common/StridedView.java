package io.gradus.core.cpu.common;

import io.gradus.core.Shape;
import io.gradus.core.kernel.MergedAxes;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.Arrays;

/**
 * A row-major traversal of memory along axes with lengths and strides. Broadcast axes have stride 0, permuted tensors have
 * reordered strides, and a part of a tensor has an offset. Contiguous axes are merged, so that the innermost run is as long as
 * possible.
 */
public final class StridedView {
    private static final int SHORT_RUN = 8;

    private final long offset;
    private final long[] lengths;
    private final long[] strides;
    private final int rank;

    public StridedView(long offset, long[] lengths, long[] strides) {
        this.offset = offset;
        MergedAxes merged = MergedAxes.of(lengths, strides);
        this.lengths = merged.lengths();
        this.strides = merged.strides();
        this.rank = this.lengths.length;
    }

    /** A tensor of shape {@code from}, broadcast to the shape {@code to}. */
    public static StridedView broadcast(Shape from, Shape to) {
        return new StridedView(0, to.toArray(), from.broadcastStrides(to));
    }

    /** Consecutive positions whose elements are {@link #innerStride()} apart in memory. */
    @FunctionalInterface
    public interface Run {
        /**
         * @param source the offset of the first element in memory
         * @param at the number of positions of this traversal before it
         */
        void run(long source, int at, int count);
    }

    public long innerStride() {
        return strides[rank - 1];
    }

    /** The number of positions in a run that begins at a multiple of it. */
    public long innerLength() {
        return lengths[rank - 1];
    }

    /** The offset in memory of the element at a position. */
    public long source(long place) {
        long source = offset;
        long rest = place;
        for (int i = rank - 1; i > 0; i--) {
            long outer = rest / lengths[i];
            source += (rest - outer * lengths[i]) * strides[i];
            rest = outer;
        }
        return source + rest * strides[0];
    }

    /** Traverses {@code count} positions, starting at {@code from}, in runs. */
    public void runs(long from, int count, Run body) {
        long inner = lengths[rank - 1];
        int done = 0;
        while (done < count) {
            long place = from + done;
            int run = (int) Math.min(count - done, inner - place % inner);
            body.run(source(place), done, run);
            done += run;
        }
    }

    /** Reads {@code count} floats, starting at a position. */
    public void load(MemorySegment memory, long from, float[] target, int count) {
        long stride = innerStride();
        runs(from, count, (source, at, run) -> {
            if (stride == 0) {
                Arrays.fill(target, at, at + run, CpuStorage.get(memory, source));
            } else if (stride == 1 && run >= SHORT_RUN) {
                MemorySegment.copy(memory, ValueLayout.JAVA_FLOAT, source * 4, target, at, run);
            } else {
                for (int i = 0; i < run; i++) {
                    target[at + i] = CpuStorage.get(memory, source + i * stride);
                }
            }
        });
    }

    /** Writes {@code count} floats, starting at a position. */
    public void store(float[] values, MemorySegment memory, long from, int count) {
        long stride = innerStride();
        runs(from, count, (target, at, run) -> {
            if (stride == 1 && run >= SHORT_RUN) {
                MemorySegment.copy(values, at, memory, ValueLayout.JAVA_FLOAT, target * 4, run);
            } else {
                for (int i = 0; i < run; i++) {
                    CpuStorage.set(memory, target + i * stride, values[at + i]);
                }
            }
        });
    }

    /** Reads {@code count} ints, starting at a position. */
    public void loadInts(MemorySegment memory, long from, int[] target, int count) {
        long stride = innerStride();
        runs(from, count, (source, at, run) -> {
            for (int i = 0; i < run; i++) {
                target[at + i] = CpuStorage.getInt(memory, source + i * stride);
            }
        });
    }
}
