package io.gradus.core.cpu.scalar;

import io.gradus.core.MemoryCategory;
import io.gradus.core.Shape;
import io.gradus.core.Tensor;
import io.gradus.core.cpu.common.CpuStorage;
import io.gradus.core.cpu.common.FloatMemory;
import io.gradus.core.cpu.common.ReductionPlan;
import io.gradus.core.cpu.common.Scratch;
import io.gradus.core.cpu.common.StridedView;
import io.gradus.core.cpu.common.Workers;
import io.gradus.core.kernel.ReductionKernels;
import java.lang.foreign.MemorySegment;
import java.util.List;

/**
 * Reductions according to a {@link ReductionPlan}. Runs are divided into pieces that are reduced separately and combined in order;
 * rows are reduced by {@link ColumnReducer}. Totals are in double.
 */
public final class Reduction implements ReductionKernels {
    /** With at least this many results, threads share the results; with fewer, the pieces of each. */
    private static final long MANY_RESULTS = 16;

    private static final int LANES = 1024;

    private final Workers workers;

    public Reduction(Workers workers) {
        this.workers = workers;
    }

    @Override
    public void sumTo(Tensor x, Tensor out, boolean accumulate) {
        FloatMemory memory = FloatMemory.of(x);
        fold(Reducer.SUM, x.shape(), (_, from, target, n) -> memory.load(from, target, n), out, accumulate);
    }

    @Override
    public void maxTo(Tensor x, Tensor out) {
        FloatMemory memory = FloatMemory.of(x);
        fold(Reducer.MAX, x.shape(), (_, from, target, n) -> memory.load(from, target, n), out, false);
    }

    /** Loads elements, starting at {@code from}; may use any scratch slot but 0. */
    @FunctionalInterface
    private interface Source {
        void load(Scratch scratch, long from, float[] target, int count);
    }

    private void fold(Reducer fold, Shape shape, Source source, Tensor out, boolean accumulate) {
        if (out.size() == 0) {
            return;
        }
        ReductionPlan plan = ReductionPlan.of(shape, out.shape());
        long rows = plan.partCount();
        long run = plan.run();
        MemorySegment target = CpuStorage.of(out);
        Workers.Body body = (from, to) -> {
            for (long result = from; result < to; result++) {
                long base = plan.results().source(result);
                ColumnReducer.Source part = (scratch, row, column, values, n) ->
                        source.load(scratch, base + plan.parts().source(row) + column, values, n);
                if (plan.innerGoes()) {
                    double old = accumulate ? CpuStorage.get(target, result) : 0;
                    double total = foldPieces(fold, rows, run, part);
                    CpuStorage.set(target, result, (float) (old + total));
                } else {
                    ColumnReducer.run(workers, fold, rows, run, part, target, result * run, accumulate);
                }
            }
        };
        if (plan.resultCount() < MANY_RESULTS) {
            body.run(0, plan.resultCount());
        } else {
            workers.forEach(plan.resultCount(), Math.max(1, 4 * Chunks.SIZE / Math.max(1, rows * run)), body);
        }
    }

    /** Reduces {@code parts} runs of {@code length} elements to one number. */
    private double foldPieces(Reducer fold, long parts, long length, ColumnReducer.Source source) {
        long perRun = (length + Chunks.SIZE - 1) / Chunks.SIZE;
        double[] partial = new double[Math.toIntExact(parts * perRun)];
        workers.forEach(partial.length, Math.max(1, 4 * Chunks.SIZE / Math.max(1, length)), (from, to) -> {
            Scratch scratch = Scratch.ofThread();
            for (int piece = (int) from; piece < to; piece++) {
                long column = piece % perRun * Chunks.SIZE;
                int n = (int) Math.min(Chunks.SIZE, length - column);
                float[] values = scratch.floats(0, n);
                source.load(scratch, piece / perRun, column, values, n);
                partial[piece] = fold.row(values, n);
            }
        });
        double total = fold.identity();
        for (double piece : partial) {
            total = fold.pair(total, piece);
        }
        return total;
    }

    /** Counts the elements that equal each maximum, then divides its gradient among them. */
    @Override
    public void maxBackward(Tensor x, Tensor y, Tensor dy, Tensor dx, boolean accumulate) {
        MemorySegment inputs = CpuStorage.of(x);
        MemorySegment results = CpuStorage.of(y);
        MemorySegment outer = CpuStorage.of(dy);
        MemorySegment target = CpuStorage.of(dx);
        StridedView view = StridedView.broadcast(y.shape(), x.shape());
        Tensor counts = Tensor.empty(x.device(), x.dtype(), y.shape(), MemoryCategory.WORKSPACE);
        try {
            Source equal = (scratch, from, values, n) -> {
                float[] maxima = scratch.floats(1, n);
                CpuStorage.load(inputs, from, values, n);
                view.load(results, from, maxima, n);
                equal(values, maxima, n);
            };
            fold(Reducer.SUM, x.shape(), equal, counts, false);
            MemorySegment equals = CpuStorage.of(counts);
            Chunks.elements(workers, x.size(), (scratch, from, n) -> {
                float[] share = scratch.floats(0, n);
                float[] number = scratch.floats(2, n);
                float[] gradient = scratch.floats(3, n);
                equal.load(scratch, from, share, n);
                view.load(equals, from, number, n);
                view.load(outer, from, gradient, n);
                for (int i = 0; i < n; i++) {
                    share[i] = share[i] == 0 ? 0 : gradient[i] / number[i];
                }
                Chunks.write(scratch, share, target, from, n, accumulate);
            });
        } finally {
            counts.release();
        }
    }

    private static void equal(float[] x, float[] y, int n) {
        for (int i = 0; i < n; i++) {
            x[i] = x[i] == y[i] ? 1 : 0;
        }
    }

    /** In double: 1,024 interleaved sums in each chunk, then the chunks in order. */
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
                (from, to) -> squares[(int) (from / SQUARES_CHUNK)] = sumOfSquares(memory, from, to));
        return squares;
    }

    private static double sumOfSquares(MemorySegment memory, long from, long to) {
        double[] sums = new double[(int) Math.min(LANES, to - from)];
        float[] values = Scratch.ofThread().floats(0, LANES);
        for (long at = from; at < to; at += LANES) {
            int n = (int) Math.min(LANES, to - at);
            CpuStorage.load(memory, at, values, n);
            addSquares(sums, values, n);
        }
        double total = 0;
        for (double sum : sums) {
            total += sum;
        }
        return total;
    }

    private static void addSquares(double[] sums, float[] x, int n) {
        for (int i = 0; i < n; i++) {
            sums[i] += (double) x[i] * x[i];
        }
    }
}
