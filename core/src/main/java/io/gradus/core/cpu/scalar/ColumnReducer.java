package io.gradus.core.cpu.scalar;

import io.gradus.core.cpu.common.CpuStorage;
import io.gradus.core.cpu.common.Scratch;
import io.gradus.core.cpu.common.Workers;
import java.lang.foreign.MemorySegment;
import java.util.Arrays;

/**
 * Reduces rows to one row, in double: bias gradients, gradients of normalization weights, sums over leading axes. Columns are
 * divided into slices; if there are few slices, rows are divided into blocks too, which are reduced separately and then combined
 * in order. Both divisions depend only on sizes.
 */
final class ColumnReducer {
    private static final int SLICE = 1024;
    private static final int MANY_SLICES = 16;
    private static final int BLOCKS = 32;

    private ColumnReducer() {}

    /** Loads the elements of one row, starting at {@code column}. */
    @FunctionalInterface
    interface Source {
        void load(Scratch scratch, long row, long column, float[] target, int count);
    }

    /**
     * {@code out (+)=} the reduction of {@code rows} rows of {@code columns} elements.
     *
     * @param at the first element of the result in {@code out}
     */
    static void run(
            Workers workers,
            Reducer fold,
            long rows,
            long columns,
            Source source,
            MemorySegment out,
            long at,
            boolean accumulate) {
        long slices = (columns + SLICE - 1) / SLICE;
        long blockRows = slices >= MANY_SLICES ? Math.max(1, rows) : Math.max(BLOCKS, (rows + BLOCKS - 1) / BLOCKS);
        int blocks = (int) Math.max(1, (rows + blockRows - 1) / blockRows);
        double[][] partial = new double[blocks == 1 ? 0 : Math.toIntExact(slices * blocks)][];
        workers.forEach(slices * blocks, 1, (item, end) -> {
            Scratch scratch = Scratch.ofThread();
            long column = item / blocks * SLICE;
            int width = (int) Math.min(SLICE, columns - column);
            long block = item % blocks;
            double[] totals = new double[width];
            Arrays.fill(totals, fold.identity());
            float[] values = scratch.floats(0, width);
            for (long row = block * blockRows; row < Math.min(rows, (block + 1) * blockRows); row++) {
                source.load(scratch, row, column, values, width);
                fold.elements(totals, values, width);
            }
            if (blocks == 1) {
                write(totals, out, at + column, accumulate);
            } else {
                partial[(int) item] = totals;
            }
        });
        for (int first = 0; first < partial.length; first += blocks) {
            double[] totals = partial[first];
            for (int block = 1; block < blocks; block++) {
                for (int i = 0; i < totals.length; i++) {
                    totals[i] = fold.pair(totals[i], partial[first + block][i]);
                }
            }
            write(totals, out, at + (long) (first / blocks) * SLICE, accumulate);
        }
    }

    private static void write(double[] totals, MemorySegment out, long at, boolean accumulate) {
        for (int i = 0; i < totals.length; i++) {
            double old = accumulate ? CpuStorage.get(out, at + i) : 0;
            CpuStorage.set(out, at + i, (float) (old + totals[i]));
        }
    }
}
