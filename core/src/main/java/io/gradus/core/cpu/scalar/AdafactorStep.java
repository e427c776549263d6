package io.gradus.core.cpu.scalar;

import io.gradus.core.Shape;
import io.gradus.core.Tensor;
import io.gradus.core.cpu.common.CpuStorage;
import io.gradus.core.cpu.common.Scratch;
import io.gradus.core.cpu.common.Workers;
import io.gradus.core.kernel.OptimizerStepKernels;
import io.gradus.core.kernel.OptimizerStepKernels.Adafactor;
import java.lang.foreign.MemorySegment;
import org.jspecify.annotations.Nullable;

/**
 * {@link OptimizerStepKernels#adafactor}: several passes over the weight and gradient, with sums in double. The update U is
 * computed twice, once for its rms, so that nothing as large as the parameter is allocated: saving memory is the purpose of the
 * method.
 *
 * <p>Blocks of rows depend only on sizes, and their results are combined in order.
 */
final class AdafactorStep {
    /** Elements in a block: about ten microseconds of work. */
    private static final long PIECE = 1 << 15;

    /** The maximum number of row blocks of a matrix; each has its own column sums. */
    private static final long BLOCKS = 32;

    private final Workers workers;
    private final Adafactor settings;
    private final MemorySegment weights;
    private final MemorySegment gradients;
    private final MemorySegment variances;
    private final long size;
    private final float scale;
    /** The decay factor β of the averages. */
    private final double keep;
    /** ε₁², at least the smallest normal float, because 0/√0 is NaN. */
    private final float least;

    private final long step;

    private AdafactorStep(
            Workers workers,
            Tensor parameter,
            Tensor gradient,
            Tensor variance,
            Adafactor settings,
            double gradientScale,
            long step) {
        this.workers = workers;
        this.settings = settings;
        this.weights = CpuStorage.of(parameter);
        this.gradients = CpuStorage.of(gradient);
        this.variances = CpuStorage.of(variance);
        this.size = parameter.size();
        this.scale = (float) gradientScale;
        this.keep = 1 - Math.pow(step, settings.beta2Decay());
        this.least = (float) Math.max(Float.MIN_NORMAL, settings.epsilon1() * settings.epsilon1());
        this.step = step;
    }

    static void run(
            Workers workers,
            Tensor parameter,
            Tensor gradient,
            Tensor variance,
            @Nullable Tensor columnVariance,
            Adafactor settings,
            double gradientScale,
            long step) {
        if (parameter.size() == 0) {
            return;
        }
        var one = new AdafactorStep(workers, parameter, gradient, variance, settings, gradientScale, step);
        if (columnVariance == null) {
            one.whole();
        } else {
            one.factored(parameter.shape(), CpuStorage.of(columnVariance));
        }
    }

    /** The sums of squares of one block. */
    private static final class Squares {
        double weights;
        double updates;
    }

    /** The factor of the update: α divided by the clipping factor. */
    private float rate(Squares[] found) {
        double ofWeights = 0;
        double ofUpdates = 0;
        for (Squares block : found) {
            ofWeights += block.weights;
            ofUpdates += block.updates;
        }
        double rate = settings.learningRate();
        if (settings.relative()) {
            rate = Math.max(settings.epsilon2(), Math.sqrt(ofWeights / size)) * Math.min(rate, 1 / Math.sqrt(step));
        }
        return (float) (rate / Math.max(1, Math.sqrt(ofUpdates / size) / settings.clippingThreshold()));
    }

    private float decay() {
        return (float) (settings.learningRate() * settings.weightDecay());
    }

    private static Squares[] squares(long blocks) {
        Squares[] squares = new Squares[Math.toIntExact(blocks)];
        for (int i = 0; i < squares.length; i++) {
            squares[i] = new Squares();
        }
        return squares;
    }

    // ---- scalars and vectors: one variance per element ----

    private void whole() {
        Squares[] found = squares((size + PIECE - 1) / PIECE);
        workers.forEach(size, PIECE, (from, to) -> {
            Squares block = found[(int) (from / PIECE)];
            Scratch scratch = Scratch.ofThread();
            float[] w = scratch.floats(0, Chunks.SIZE);
            float[] g = scratch.floats(1, Chunks.SIZE);
            float[] v = scratch.floats(2, Chunks.SIZE);
            for (long at = from; at < to; at += Chunks.SIZE) {
                int n = (int) Math.min(Chunks.SIZE, to - at);
                CpuStorage.load(weights, at, w, n);
                loadGradients(at, g, n);
                CpuStorage.load(variances, at, v, n);
                average(v, g, (float) keep, (float) (1 - keep), n);
                CpuStorage.store(v, variances, at, n);
                divide(g, v, n);
                block.weights += sumOfSquares(w, n);
                block.updates += sumOfSquares(g, n);
            }
        });
        float rate = rate(found);
        workers.forEach(size, PIECE, (from, to) -> {
            Scratch scratch = Scratch.ofThread();
            float[] g = scratch.floats(1, Chunks.SIZE);
            float[] v = scratch.floats(2, Chunks.SIZE);
            for (long at = from; at < to; at += Chunks.SIZE) {
                int n = (int) Math.min(Chunks.SIZE, to - at);
                loadGradients(at, g, n);
                CpuStorage.load(variances, at, v, n);
                divide(g, v, n);
                move(scratch, at, g, rate, n);
            }
        });
    }

    /** {@code v = keep·v + take·g²}. */
    private static void average(float[] v, float[] g, float keep, float take, int n) {
        for (int i = 0; i < n; i++) {
            v[i] = Math.fma(g[i] * g[i], take, keep * v[i]);
        }
    }

    /** {@code g = g/√max(v, ε₁²)}. */
    private void divide(float[] g, float[] v, int n) {
        float floor = least;
        for (int i = 0; i < n; i++) {
            g[i] /= (float) Math.sqrt(Math.max(v[i], floor));
        }
    }

    // ---- matrices: one variance per row and per column ----

    /** An action on the part of a row that begins at a column. */
    @FunctionalInterface
    private interface Part {
        void run(Scratch scratch, int block, int row, int column, long at, int n);
    }

    private void factored(Shape shape, MemorySegment columnVariances) {
        int rows = Math.toIntExact(shape.get(shape.rank() - 2));
        int columns = Math.toIntExact(shape.get(shape.rank() - 1));
        long each = (long) rows * columns;
        long matrices = size / each;
        long grain = Math.max((rows + BLOCKS - 1) / BLOCKS, Math.max(1, PIECE / columns));
        int blocks = (int) ((rows + grain - 1) / grain);
        Squares[] found = squares(matrices * blocks);
        float[] rowFactors = new float[Math.toIntExact(matrices * rows)];
        float[] columnFactors = new float[Math.toIntExact(matrices * columns)];
        for (int matrix = 0; matrix < matrices; matrix++) {
            int firstBlock = matrix * blocks;
            int firstRow = matrix * rows;
            int firstColumn = matrix * columns;
            double[] rowSums = new double[rows];
            double[][] columnSums = new double[blocks][columns];
            forEachPart(matrix * each, rows, columns, grain, (scratch, block, row, column, at, n) -> {
                float[] w = scratch.floats(0, n);
                float[] g = scratch.floats(1, n);
                CpuStorage.load(weights, at, w, n);
                loadGradients(at, g, n);
                found[firstBlock + block].weights += sumOfSquares(w, n);
                rowSums[row] += sumOfSquares(g, n);
                addSquares(columnSums[block], column, g, n);
            });
            double mean = 0;
            for (int row = 0; row < rows; row++) {
                mean += average(variances, firstRow + row, rowSums[row] / columns) / rows;
            }
            mean = Math.max(mean, settings.epsilon1());
            for (int row = 0; row < rows; row++) {
                rowFactors[firstRow + row] = (float) (CpuStorage.get(variances, firstRow + row) / mean);
            }
            for (int column = 0; column < columns; column++) {
                double sum = 0;
                for (double[] block : columnSums) {
                    sum += block[column];
                }
                columnFactors[firstColumn + column] =
                        (float) average(columnVariances, firstColumn + column, sum / rows);
            }
            forEachPart(matrix * each, rows, columns, grain, (scratch, block, row, column, at, n) -> {
                float[] u = scratch.floats(1, n);
                loadGradients(at, u, n);
                divide(u, rowFactors[firstRow + row], columnFactors, firstColumn + column, n);
                found[firstBlock + block].updates += sumOfSquares(u, n);
            });
        }
        float rate = rate(found);
        for (int matrix = 0; matrix < matrices; matrix++) {
            int firstRow = matrix * rows;
            int firstColumn = matrix * columns;
            forEachPart(matrix * each, rows, columns, grain, (scratch, _, row, column, at, n) -> {
                float[] u = scratch.floats(1, n);
                loadGradients(at, u, n);
                divide(u, rowFactors[firstRow + row], columnFactors, firstColumn + column, n);
                move(scratch, at, u, rate, n);
            });
        }
    }

    /** Visits blocks of {@code grain} rows in parallel; within a block, rows in order, at most {@link Chunks#SIZE} elements at a time. */
    private void forEachPart(long first, int rows, int columns, long grain, Part part) {
        workers.forEach(rows, grain, (from, to) -> {
            Scratch scratch = Scratch.ofThread();
            for (int row = (int) from; row < to; row++) {
                for (int column = 0; column < columns; column += Chunks.SIZE) {
                    int n = Math.min(Chunks.SIZE, columns - column);
                    part.run(scratch, (int) (from / grain), row, column, first + (long) row * columns + column, n);
                }
            }
        });
    }

    /** Updates a moving average and returns it. */
    private double average(MemorySegment averages, long at, double mean) {
        double average = keep * CpuStorage.get(averages, at) + (1 - keep) * mean;
        CpuStorage.set(averages, at, (float) average);
        return average;
    }

    /** {@code g = g/√max(row·column, ε₁²)}. */
    private void divide(float[] g, float row, float[] columns, int from, int n) {
        float floor = least;
        for (int i = 0; i < n; i++) {
            g[i] /= (float) Math.sqrt(Math.max(row * columns[from + i], floor));
        }
    }

    // ---- both ----

    private void loadGradients(long at, float[] g, int n) {
        CpuStorage.load(gradients, at, g, n);
        for (int i = 0; i < n; i++) {
            g[i] *= scale;
        }
    }

    /** {@code w −= decay·w + rate·u}. */
    private void move(Scratch scratch, long at, float[] u, float rate, int n) {
        float decay = decay();
        float[] w = scratch.floats(0, n);
        CpuStorage.load(weights, at, w, n);
        for (int i = 0; i < n; i++) {
            w[i] -= Math.fma(decay, w[i], rate * u[i]);
        }
        CpuStorage.store(w, weights, at, n);
    }

    private static void addSquares(double[] sums, int from, float[] x, int n) {
        for (int i = 0; i < n; i++) {
            sums[from + i] += (double) x[i] * x[i];
        }
    }

    /** Four interleaved sums: a single one would wait for each addition. */
    private static double sumOfSquares(float[] x, int n) {
        double a = 0;
        double b = 0;
        double c = 0;
        double d = 0;
        int i = 0;
        for (; i <= n - 4; i += 4) {
            a += (double) x[i] * x[i];
            b += (double) x[i + 1] * x[i + 1];
            c += (double) x[i + 2] * x[i + 2];
            d += (double) x[i + 3] * x[i + 3];
        }
        for (; i < n; i++) {
            a += (double) x[i] * x[i];
        }
        return a + b + (c + d);
    }
}
