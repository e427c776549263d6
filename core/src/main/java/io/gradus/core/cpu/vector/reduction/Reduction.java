package io.gradus.core.cpu.vector.reduction;

import io.gradus.core.DType;
import io.gradus.core.Tensor;
import io.gradus.core.cpu.common.CpuStorage;
import io.gradus.core.cpu.common.ReductionPlan;
import io.gradus.core.cpu.common.Scratch;
import io.gradus.core.cpu.common.StridedView;
import io.gradus.core.cpu.common.Workers;
import io.gradus.core.cpu.vector.Halves;
import io.gradus.core.kernel.ReductionKernels;
import java.lang.foreign.MemorySegment;
import java.util.Arrays;
import java.util.List;

/**
 * Reductions according to a {@link ReductionPlan}, directly from memory. The division into pieces depends only on sizes, and pieces
 * are combined in order.
 */
public final class Reduction implements ReductionKernels {
    /** With at least this many results, threads share the results; with fewer, the pieces of each. */
    private static final long MANY_RESULTS = 16;

    /** Elements in a piece: about ten microseconds of work. */
    private static final long PIECE = 1 << 15;

    /** Columns in a slice, whose totals stay in the first-level cache with the rows. */
    private static final int SLICE = 1024;

    /** With at least this many slices, threads share only slices; with fewer, also blocks of rows. */
    private static final long MANY_SLICES = 16;

    /** The maximum number of row blocks; each has its own totals. */
    private static final long BLOCKS = 32;

    private final Workers workers;
    private final ReductionKernels scalar;

    public Reduction(Workers workers) {
        this.workers = workers;
        this.scalar = new io.gradus.core.cpu.scalar.Reduction(workers);
    }

    @Override
    public void sumTo(Tensor x, Tensor out, boolean accumulate) {
        fold(VectorReducer.SUM, x, out, accumulate);
    }

    @Override
    public void maxTo(Tensor x, Tensor out) {
        fold(VectorReducer.MAX, x, out, false);
    }

    private void fold(VectorReducer fold, Tensor x, Tensor out, boolean accumulate) {
        if (out.size() == 0) {
            return;
        }
        ReductionPlan plan = ReductionPlan.of(x.shape(), out.shape());
        Source memory = new Source(CpuStorage.of(x), x.dtype());
        MemorySegment target = CpuStorage.of(out);
        long each = Math.max(1, plan.partCount() * plan.run());
        boolean many = plan.resultCount() >= MANY_RESULTS;
        workers.forEach(plan.resultCount(), many ? Math.max(1, PIECE / each) : plan.resultCount(), (from, to) -> {
            for (long result = from; result < to; result++) {
                long base = plan.results().source(result);
                if (plan.innerGoes()) {
                    double total = many ? runs(fold, memory, base, plan) : pieces(fold, memory, base, plan);
                    write(total, target, result, accumulate);
                } else {
                    columns(fold, memory, base, plan, target, result * plan.run(), accumulate);
                }
            }
        });
    }

    private static void write(double total, MemorySegment out, long at, boolean accumulate) {
        double old = accumulate ? CpuStorage.get(out, at) : 0;
        CpuStorage.set(out, at, (float) (old + total));
    }

    // ---- the innermost axes are reduced ----

    /** Reduces the runs of one result in order. */
    private static double runs(VectorReducer fold, Source memory, long base, ReductionPlan plan) {
        if (plan.partCount() == 1) {
            return memory.run(fold, base, plan.run());
        }
        double total = fold.identity();
        for (long part = 0; part < plan.partCount(); part++) {
            total = fold.pair(total, memory.run(fold, base + plan.parts().source(part), plan.run()));
        }
        return total;
    }

    /** The same on all threads, with runs divided into pieces. */
    private double pieces(VectorReducer fold, Source memory, long base, ReductionPlan plan) {
        long perRun = Math.max(1, (plan.run() + PIECE - 1) / PIECE);
        int count = Math.toIntExact(plan.partCount() * perRun);
        double[] partial = Scratch.ofThread().doubles(0, count);
        workers.forEach(count, Math.max(1, PIECE / Math.max(1, plan.run())), (from, to) -> {
            for (int piece = (int) from; piece < to; piece++) {
                long begin = piece % perRun * PIECE;
                long at = base + plan.parts().source(piece / perRun) + begin;
                partial[piece] = memory.run(fold, at, Math.min(PIECE, plan.run() - begin));
            }
        });
        double total = fold.identity();
        for (int piece = 0; piece < count; piece++) {
            total = fold.pair(total, partial[piece]);
        }
        return total;
    }

    // ---- the innermost axes are kept ----

    /**
     * Reduces rows to one row: bias gradients, sums over leading axes. Columns are divided into slices and rows into blocks; each
     * block of a slice has its own totals, which are then combined in order.
     */
    private void columns(
            VectorReducer fold,
            Source memory,
            long base,
            ReductionPlan plan,
            MemorySegment out,
            long outAt,
            boolean accumulate) {
        long rows = plan.partCount();
        long columns = plan.run();
        long slices = (columns + SLICE - 1) / SLICE;
        long blocks = slices >= MANY_SLICES ? 1 : Math.clamp(rows * columns / PIECE / slices, 1, BLOCKS);
        long blockRows = Math.ceilDiv(Math.ceilDiv(rows, blocks), VectorReducer.ROWS) * VectorReducer.ROWS;
        double[] totals = Scratch.ofThread().doubles(0, blocks == 1 ? 0 : (int) (blocks * columns));
        workers.forEach(slices * blocks, 1, (item, _) -> {
            long column = item % slices * SLICE;
            long block = item / slices;
            int width = (int) Math.min(SLICE, columns - column);
            double[] sums = Scratch.ofThread().doubles(1, width);
            Arrays.fill(sums, 0, width, fold.identity());
            long end = Math.min(rows, (block + 1) * blockRows);
            foldRows(fold, memory, base + column, plan.parts(), block * blockRows, end, sums, width);
            if (blocks == 1) {
                write(sums, width, out, outAt + column, accumulate);
            } else {
                System.arraycopy(sums, 0, totals, (int) (block * columns + column), width);
            }
        });
        if (blocks > 1) {
            foldBlocks(fold, totals, (int) blocks, (int) columns);
            write(totals, (int) columns, out, outAt, accumulate);
        }
    }

    /** Combines all blocks into the first. */
    private static void foldBlocks(VectorReducer fold, double[] totals, int blocks, int columns) {
        for (int block = 1; block < blocks; block++) {
            for (int column = 0; column < columns; column++) {
                totals[column] = fold.pair(totals[column], totals[block * columns + column]);
            }
        }
    }

    private static void write(double[] totals, int count, MemorySegment out, long at, boolean accumulate) {
        for (int i = 0; i < count; i++) {
            write(totals[i], out, at + i, accumulate);
        }
    }

    private static void foldRows(
            VectorReducer fold,
            Source memory,
            long base,
            StridedView rows,
            long from,
            long to,
            double[] totals,
            int width) {
        long[] at = new long[VectorReducer.ROWS];
        long row = from;
        for (; row <= to - VectorReducer.ROWS; row += VectorReducer.ROWS) {
            for (int i = 0; i < at.length; i++) {
                at[i] = base + rows.source(row + i);
            }
            memory.rows(fold, totals, at, width);
        }
        for (; row < to; row++) {
            memory.row(fold, totals, base + rows.source(row), width);
        }
    }

    /** The elements of a tensor, of which the 16-bit ones are converted to F32 piece by piece. */
    private record Source(MemorySegment memory, DType dtype) {

        double run(VectorReducer fold, long at, long length) {
            if (!dtype.isHalf()) {
                return fold.run(memory, at, length);
            }
            MemorySegment wide = scratch(length);
            load(at, length, wide, 0);
            return fold.run(wide, 0, length);
        }

        void row(VectorReducer fold, double[] totals, long at, int width) {
            if (!dtype.isHalf()) {
                fold.row(totals, memory, at, width);
                return;
            }
            MemorySegment wide = scratch(width);
            load(at, width, wide, 0);
            fold.row(totals, wide, 0, width);
        }

        void rows(VectorReducer fold, double[] totals, long[] at, int width) {
            if (!dtype.isHalf()) {
                fold.rows(totals, memory, at, width);
                return;
            }
            MemorySegment wide = scratch((long) at.length * width);
            for (int i = 0; i < at.length; i++) {
                load(at[i], width, wide, (long) i * width);
                at[i] = (long) i * width;
            }
            fold.rows(totals, wide, at, width);
        }

        private static MemorySegment scratch(long length) {
            return Scratch.ofThread().memory(Scratch.CONVERTED, length);
        }

        private void load(long from, long count, MemorySegment wide, long at) {
            Halves.widen(memory, dtype, from, wide, at, count);
        }
    }

    // ---- other kernels ----

    /** Mostly moves elements in broadcast order, for which the scalar loops are as fast. */
    @Override
    public void maxBackward(Tensor x, Tensor y, Tensor dy, Tensor dx, boolean accumulate) {
        scalar.maxBackward(x, y, dy, dx, accumulate);
    }

    /** In pieces of which each is a chunk, and the pieces in order. */
    @Override
    public double sumOfSquares(List<Tensor> tensors) {
        double total = 0;
        for (Tensor tensor : tensors) {
            for (double chunk : squaresByChunk(tensor)) {
                total += chunk;
            }
        }
        return total;
    }

    @Override
    public double[] squaresByChunk(Tensor x) {
        MemorySegment memory = CpuStorage.of(x);
        double[] squares = new double[Math.toIntExact(Math.ceilDiv(x.size(), SQUARES_CHUNK))];
        workers.forEach(
                x.size(),
                SQUARES_CHUNK,
                (from, to) ->
                        squares[(int) (from / SQUARES_CHUNK)] = VectorReducer.sumOfSquares(memory, from, to - from));
        return squares;
    }
}
