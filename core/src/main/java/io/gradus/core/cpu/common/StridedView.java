package io.gradus.core.cpu.common;

import io.gradus.core.Shape;
import io.gradus.core.kernel.MergedAxes;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.Arrays;

/**
 * Another order of reading memory: a row-major walk over axes of which each has a length and a stride. A broadcast operand
 * has strides of 0, a permuted one has them reordered, a part of a tensor begins at an offset. Neighbouring axes that continue
 * each other are merged, so that the innermost run is as long as can be.
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

    /** A tensor of shape {@code from}, read as if it had the shape {@code to}. */
    public static StridedView broadcast(Shape from, Shape to) {
        return new StridedView(0, to.toArray(), from.broadcastStrides(to));
    }

    /** Consecutive places of the walk whose elements lie {@link #innerStride()} apart. */
    @FunctionalInterface
    public interface Run {
        /**
         * @param source where the first lies in memory, in elements
         * @param at how many places of this walk came before
         */
        void run(long source, int at, int count);
    }

    public long innerStride() {
        return strides[rank - 1];
    }

    /** How many places a run has, when it begins at a multiple of that. */
    public long innerLength() {
        return lengths[rank - 1];
    }

    /** Where in memory the element at a place of the walk lies. */
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

    /** Walks over {@code count} places from {@code from} on, run by run. */
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

    /** Reads {@code count} floats from a place on. */
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

    /** Writes {@code count} floats from a place on. */
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

    /** Reads {@code count} whole numbers from a place on. */
    public void loadInts(MemorySegment memory, long from, int[] target, int count) {
        long stride = innerStride();
        runs(from, count, (source, at, run) -> {
            for (int i = 0; i < run; i++) {
                target[at + i] = CpuStorage.getInt(memory, source + i * stride);
            }
        });
    }
}
