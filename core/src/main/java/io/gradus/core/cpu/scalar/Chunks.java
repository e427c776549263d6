package io.gradus.core.cpu.scalar;

import io.gradus.core.cpu.common.CpuStorage;
import io.gradus.core.cpu.common.Scratch;
import io.gradus.core.cpu.common.Workers;
import java.lang.foreign.MemorySegment;

/** Divides work into chunks that depend only on sizes, so that results do not depend on the number of threads. */
final class Chunks {
    /** Elements in a chunk; three arrays of this length fit in the first-level cache. */
    static final int SIZE = 4096;

    /** The slot of {@link Scratch} that {@link #write} uses. */
    private static final int OLD = 7;

    private Chunks() {}

    /** An action on the {@code count} elements starting at {@code from}. */
    @FunctionalInterface
    interface Step {
        void run(Scratch scratch, long from, int count);
    }

    /** An action on one row. */
    @FunctionalInterface
    interface Row {
        void run(Scratch scratch, long row);
    }

    /** Runs a step over {@code size} elements, in chunks of at most {@link #SIZE}. */
    static void elements(Workers workers, long size, Step step) {
        workers.forEach(size, SIZE, (from, to) -> step.run(Scratch.ofThread(), from, (int) (to - from)));
    }

    /** Runs a step for each row, in groups of rows with a few chunks' worth of elements. */
    static void rows(Workers workers, long rows, long length, Row step) {
        workers.forEach(rows, Math.max(1, 4 * SIZE / Math.max(1, length)), (from, to) -> {
            Scratch scratch = Scratch.ofThread();
            for (long row = from; row < to; row++) {
                step.run(scratch, row);
            }
        });
    }

    /** Writes the first {@code count} results to the elements starting at {@code at}, or adds them. */
    static void write(Scratch scratch, float[] result, MemorySegment out, long at, int count, boolean accumulate) {
        if (accumulate) {
            float[] old = scratch.floats(OLD, count);
            CpuStorage.load(out, at, old, count);
            FloatMath.add(result, old, count);
        }
        CpuStorage.store(result, out, at, count);
    }

    /** The position of the first number outside 0 … bound − 1, or −1. */
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
