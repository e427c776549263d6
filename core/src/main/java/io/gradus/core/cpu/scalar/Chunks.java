package io.gradus.core.cpu.scalar;

import io.gradus.core.cpu.common.CpuStorage;
import io.gradus.core.cpu.common.Scratch;
import io.gradus.core.cpu.common.Workers;
import java.lang.foreign.MemorySegment;

/** How the kernels cut their work: by size alone, so that results do not depend on the number of threads. */
final class Chunks {
    /** Elements that a thread takes at a time; three arrays of them fit in the first-level cache. */
    static final int SIZE = 4096;

    /** The slot of {@link Scratch} in which {@link #write} works. */
    private static final int OLD = 7;

    private Chunks() {}

    /** What happens to the {@code count} elements from {@code from} on. */
    @FunctionalInterface
    interface Step {
        void run(Scratch scratch, long from, int count);
    }

    /** What happens to one row. */
    @FunctionalInterface
    interface Row {
        void run(Scratch scratch, long row);
    }

    /** Runs a step over {@code size} elements, at most {@link #SIZE} at a time. */
    static void elements(Workers workers, long size, Step step) {
        workers.forEach(size, SIZE, (from, to) -> step.run(Scratch.ofThread(), from, (int) (to - from)));
    }

    /** Runs a step over rows, as many at a time as make a few chunks. */
    static void rows(Workers workers, long rows, long length, Row step) {
        workers.forEach(rows, Math.max(1, 4 * SIZE / Math.max(1, length)), (from, to) -> {
            Scratch scratch = Scratch.ofThread();
            for (long row = from; row < to; row++) {
                step.run(scratch, row);
            }
        });
    }

    /** Stores the first {@code count} results from element {@code at} on, or adds them to what is there. */
    static void write(Scratch scratch, float[] result, MemorySegment out, long at, int count, boolean accumulate) {
        if (accumulate) {
            float[] old = scratch.floats(OLD, count);
            CpuStorage.load(out, at, old, count);
            FloatMath.add(result, old, count);
        }
        CpuStorage.store(result, out, at, count);
    }

    /** The place of the first number that is not in 0 … bound − 1, or −1. */
    static long firstOutside(MemorySegment numbers, long count, long bound) {
        for (long i = 0; i < count; i++) {
            int number = CpuStorage.getInt(numbers, i);
            if (number < 0 || number >= bound) {
                return i;
            }
        }
        return -1;
    }
}
