package io.gradus.gpu;

import static io.gradus.gpu.runtime.Launcher.flag;
import static io.gradus.gpu.runtime.Launcher.floats;
import static io.gradus.gpu.runtime.Launcher.ints;

import io.gradus.core.DType;
import io.gradus.core.MemoryCategory;
import io.gradus.core.Shape;
import io.gradus.core.Tensor;
import io.gradus.core.kernel.OptimizerStepKernels;
import io.gradus.core.kernel.OptimizerStepKernels.Adafactor;
import io.gradus.gpu.runtime.Kernel;
import io.gradus.gpu.runtime.Launcher;
import org.jspecify.annotations.Nullable;
import uk.ac.manchester.tornado.api.KernelContext;
import uk.ac.manchester.tornado.api.math.TornadoMath;
import uk.ac.manchester.tornado.api.types.arrays.FloatArray;
import uk.ac.manchester.tornado.api.types.arrays.IntArray;

/**
 * {@link OptimizerStepKernels#adafactor}. The update depends on sums: row and column sums for the variance V, and the
 * sums of U² and θ² for the learning rate. A matrix takes four launches and no workspace as large as the parameter:
 *
 * <ol>
 *   <li>sum rows, which gives R, and sum columns over strips of rows;
 *   <li>sum the strips, which gives C, and average R for each matrix;
 *   <li>compute U, and per work-group the sums of squares of its part of U and of the weights;
 *   <li>add these sums, which gives the learning rate, compute U again, and update the weights.
 * </ol>
 *
 * A scalar or vector has one variance per element and takes only the last two launches. All kernels share one list of
 * operands and one descriptor. The order of summation depends only on the sizes.
 */
final class AdafactorStep {
    private static final Kernel MEANS = Kernel.of("adafactor_means", AdafactorStep::meansKernel);
    private static final Kernel TOTALS = Kernel.of("adafactor_totals", AdafactorStep::totalsKernel);
    private static final Kernel UPDATES = Kernel.of("adafactor_updates", AdafactorStep::updatesKernel);
    private static final Kernel MOVE = Kernel.of("adafactor_move", AdafactorStep::moveKernel);

    /** The minimum number of rows over which a work-item sums a column. */
    private static final long ROWS = 32;
    /** The minimum number of elements per work-group. */
    private static final long PART = 16 * Kernel.GROUP;
    /** The maximum number of parts. Each group of the last launch reads the sums of all parts. */
    private static final long PARTS = 1024;

    // The descriptor: where the operands begin, then the integers of the launch.
    private static final int WEIGHTS = 0;
    private static final int GRADIENTS = 1;
    private static final int VARIANCE = 2;
    private static final int COLUMN_VARIANCE = 3;
    private static final int WORK = 4;
    private static final int SIZE = Kernel.INTS;
    private static final int PART_SIZE = Kernel.INTS + 1;
    private static final int PART_COUNT = Kernel.INTS + 2;
    private static final int RELATIVE = Kernel.INTS + 3;
    /** Offset in the workspace of the sums of squares of U; those of the weights follow. */
    private static final int SUMS = Kernel.INTS + 4;
    /** The number of matrices, or 0 if each element has a variance; then the rows and columns of a matrix. */
    private static final int MATRICES = Kernel.INTS + 5;

    private static final int MATRIX_ROWS = Kernel.INTS + 6;
    private static final int MATRIX_COLUMNS = Kernel.INTS + 7;
    /** Work-items per row, and work-items for all rows. */
    private static final int LANES = Kernel.INTS + 8;

    private static final int ROW_ITEMS = Kernel.INTS + 9;
    /** Rows per strip, over which a work-item sums a column, and strips per matrix. */
    private static final int STRIP = Kernel.INTS + 10;

    private static final int STRIPS = Kernel.INTS + 11;
    /** Offset in the workspace of the mean of R of each matrix; the column sums come before it. */
    private static final int MEAN = Kernel.INTS + 12;

    // The floats.
    private static final int KEEP = 0;
    private static final int TAKE = 1;
    private static final int SCALE = 2;
    private static final int LEAST_VARIANCE = 3;
    private static final int LEAST_MEAN = 4;
    private static final int LEAST_SIZE = 5;
    private static final int THRESHOLD = 6;
    private static final int RATE = 7;
    private static final int DECAY = 8;

    private final Launcher launcher;

    AdafactorStep(Launcher launcher) {
        this.launcher = launcher;
    }

    /** The sizes of the reductions of one or several matrices of equal shape. */
    private record Plan(long matrices, long rows, long columns) {

        int lanes() {
            return Rows.lanes(columns);
        }

        /** The work-items for all rows, rounded up to whole groups. */
        long rowItems() {
            return Math.ceilDiv(matrices * rows * lanes(), Kernel.GROUP) * Kernel.GROUP;
        }

        long strip() {
            return Math.max(ROWS, (long) Math.ceil(Math.sqrt(rows)));
        }

        long strips() {
            return Math.ceilDiv(rows, strip());
        }

        long columnSums() {
            return matrices * strips() * columns;
        }

        static Plan of(Shape shape) {
            long rows = shape.get(shape.rank() - 2);
            long columns = shape.last();
            return new Plan(shape.size() / (rows * columns), rows, columns);
        }
    }

    void run(
            Tensor parameter,
            Tensor gradient,
            Tensor variance,
            @Nullable Tensor columnVariance,
            Adafactor settings,
            double gradientScale,
            long step) {
        long size = parameter.size();
        if (size == 0) {
            return;
        }
        boolean factored = columnVariance != null;
        Plan plan = factored ? Plan.of(parameter.shape()) : new Plan(0, 1, 1);
        long part = Math.max(PART, Math.ceilDiv(size, PARTS));
        long parts = Math.ceilDiv(size, part);
        long mean = plan.columnSums();
        long sums = mean + plan.matrices;
        int[] ints = ints(
                size,
                part,
                parts,
                flag(settings.relative()),
                sums,
                plan.matrices,
                plan.rows,
                plan.columns,
                plan.lanes(),
                plan.rowItems(),
                plan.strip(),
                plan.strips(),
                mean);
        float[] floats = constants(settings, gradientScale, step);
        Tensor work = Tensor.empty(parameter.device(), DType.F32, Shape.of(sums + 2 * parts), MemoryCategory.WORKSPACE);
        Tensor[] operands = {parameter, gradient, variance, factored ? columnVariance : variance, work};
        try {
            if (factored) {
                launcher.run(MEANS, plan.rowItems() + plan.columnSums(), ints, floats, operands);
                long items = plan.matrices * (Kernel.GROUP + plan.columns);
                launcher.run(TOTALS, items, ints, floats, operands);
            }
            launcher.run(UPDATES, parts * Kernel.GROUP, ints, floats, operands);
            launcher.run(MOVE, parts * Kernel.GROUP, ints, floats, operands);
        } finally {
            work.release();
        }
    }

    /** The lower bound of the variance must not round to 0 in float: 0/√0 is NaN. */
    private static float[] constants(Adafactor settings, double gradientScale, long step) {
        double take = Math.pow(step, settings.beta2Decay());
        double rate = settings.learningRate();
        return floats(
                1 - take,
                take,
                gradientScale,
                Math.max(Float.MIN_NORMAL, settings.epsilon1() * settings.epsilon1()),
                settings.epsilon1(),
                settings.epsilon2(),
                settings.clippingThreshold(),
                settings.relative() ? Math.min(rate, 1 / Math.sqrt(step)) : rate,
                rate * settings.weightDecay());
    }

    // ---- the variance of matrices ----

    /**
     * The first work-groups sum rows, with several items per row. Each item of the others sums one column of one strip.
     */
    private static void meansKernel(
            KernelContext c,
            IntArray d,
            FloatArray s,
            FloatArray weights,
            FloatArray gradients,
            FloatArray variance,
            FloatArray columnVariance,
            FloatArray work) {
        int item = c.globalIdx;
        int rows = d.get(MATRIX_ROWS);
        int columns = d.get(MATRIX_COLUMNS);
        int lanes = d.get(LANES);
        int lane = Rows.lane(c, lanes);
        int row = item / lanes;
        boolean ofRow = item < d.get(ROW_ITEMS) && row < d.get(MATRICES) * rows;

        int n = ofRow ? columns : 0;
        float sum = 0;
        for (int i = lane; i < n; i += lanes) {
            sum += square(gradients, s, d.get(GRADIENTS) + row * columns + i);
        }
        sum = Rows.sum(c, lanes, sum);
        if (ofRow && lane == 0) {
            blend(variance, s, d.get(VARIANCE) + row, sum / columns);
        }

        int index = item - d.get(ROW_ITEMS);
        if (index >= 0 && index < d.get(MEAN)) {
            int strip = index / columns;
            int column = index - strip * columns;
            int matrix = strip / d.get(STRIPS);
            int from = (strip - matrix * d.get(STRIPS)) * d.get(STRIP);
            int to = from + d.get(STRIP) < rows ? from + d.get(STRIP) : rows;
            int at = d.get(GRADIENTS) + matrix * rows * columns + column;
            float total = 0;
            for (int i = from; i < to; i++) {
                total += square(gradients, s, at + i * columns);
            }
            work.set(d.get(WORK) + index, total);
        }
    }

    /**
     * Each of the first work-groups averages R of one matrix. Each item of the others adds the strips of one column.
     */
    private static void totalsKernel(
            KernelContext c,
            IntArray d,
            FloatArray s,
            FloatArray weights,
            FloatArray gradients,
            FloatArray variance,
            FloatArray columnVariance,
            FloatArray work) {
        int matrices = d.get(MATRICES);
        int rows = d.get(MATRIX_ROWS);
        int columns = d.get(MATRIX_COLUMNS);
        int group = c.groupIdx;
        int item = c.localIdx;

        int n = group < matrices ? rows : 0;
        float sum = 0;
        for (int i = item; i < n; i += Kernel.GROUP) {
            sum += variance.get(d.get(VARIANCE) + group * rows + i);
        }
        sum = Rows.sum(c, Kernel.GROUP, sum);
        if (group < matrices && item == 0) {
            work.set(d.get(WORK) + d.get(MEAN) + group, atLeast(sum / rows, s.get(LEAST_MEAN)));
        }

        int index = c.globalIdx - matrices * Kernel.GROUP;
        if (index >= 0 && index < matrices * columns) {
            int matrix = index / columns;
            int strips = d.get(STRIPS);
            int first = d.get(WORK) + matrix * strips * columns + (index - matrix * columns);
            float total = 0;
            for (int i = 0; i < strips; i++) {
                total += work.get(first + i * columns);
            }
            blend(columnVariance, s, d.get(COLUMN_VARIANCE) + index, total / rows);
        }
    }

    /** The square of a scaled gradient element. */
    private static float square(FloatArray gradients, FloatArray s, int at) {
        float g = s.get(SCALE) * gradients.get(at);
        return g * g;
    }

    /** Updates an exponential moving average. */
    private static void blend(FloatArray averages, FloatArray s, int at, float value) {
        averages.set(at, s.get(KEEP) * averages.get(at) + s.get(TAKE) * value);
    }

    /** The larger of two numbers; NaN if {@code value} is NaN. */
    private static float atLeast(float value, float least) {
        return least > value ? least : value;
    }

    // ---- the update ----

    private static void updatesKernel(
            KernelContext c,
            IntArray d,
            FloatArray s,
            FloatArray weights,
            FloatArray gradients,
            FloatArray variance,
            FloatArray columnVariance,
            FloatArray work) {
        int item = c.localIdx;
        int group = c.groupIdx;
        int from = group * d.get(PART_SIZE);
        int to = from + d.get(PART_SIZE) < d.get(SIZE) ? from + d.get(PART_SIZE) : d.get(SIZE);
        float ofUpdates = 0;
        float ofWeights = 0;
        for (int i = from + item; i < to; i += Kernel.GROUP) {
            if (d.get(MATRICES) == 0) {
                blend(variance, s, d.get(VARIANCE) + i, square(gradients, s, d.get(GRADIENTS) + i));
            }
            float u = update(d, s, gradients, variance, columnVariance, work, i);
            float w = weights.get(d.get(WEIGHTS) + i);
            ofUpdates += u * u;
            ofWeights += w * w;
        }
        ofUpdates = Rows.sum(c, Kernel.GROUP, ofUpdates);
        ofWeights = Rows.sum(c, Kernel.GROUP, ofWeights);
        if (item == 0) {
            int at = d.get(WORK) + d.get(SUMS) + group;
            work.set(at, ofUpdates);
            work.set(at + d.get(PART_COUNT), ofWeights);
        }
    }

    /** An element of U. */
    private static float update(
            IntArray d,
            FloatArray s,
            FloatArray gradients,
            FloatArray variance,
            FloatArray columnVariance,
            FloatArray work,
            int i) {
        float v;
        if (d.get(MATRICES) == 0) {
            v = variance.get(d.get(VARIANCE) + i);
        } else {
            int columns = d.get(MATRIX_COLUMNS);
            int row = i / columns;
            int matrix = row / d.get(MATRIX_ROWS);
            int column = matrix * columns + (i - row * columns);
            float ofRow = variance.get(d.get(VARIANCE) + row) / work.get(d.get(WORK) + d.get(MEAN) + matrix);
            v = ofRow * columnVariance.get(d.get(COLUMN_VARIANCE) + column);
        }
        float g = s.get(SCALE) * gradients.get(d.get(GRADIENTS) + i);
        return g / TornadoMath.sqrt(atLeast(v, s.get(LEAST_VARIANCE)));
    }

    private static void moveKernel(
            KernelContext c,
            IntArray d,
            FloatArray s,
            FloatArray weights,
            FloatArray gradients,
            FloatArray variance,
            FloatArray columnVariance,
            FloatArray work) {
        int item = c.localIdx;
        int group = c.groupIdx;
        int sums = d.get(WORK) + d.get(SUMS);
        int parts = d.get(PART_COUNT);
        float ofUpdates = 0;
        float ofWeights = 0;
        for (int i = item; i < parts; i += Kernel.GROUP) {
            ofUpdates += work.get(sums + i);
            ofWeights += work.get(sums + parts + i);
        }
        ofUpdates = Rows.sum(c, Kernel.GROUP, ofUpdates);
        ofWeights = Rows.sum(c, Kernel.GROUP, ofWeights);

        float size = d.get(SIZE);
        float rate = s.get(RATE);
        if (d.get(RELATIVE) != 0) {
            rate = rate * atLeast(TornadoMath.sqrt(ofWeights / size), s.get(LEAST_SIZE));
        }
        rate = rate / atLeast(TornadoMath.sqrt(ofUpdates / size) / s.get(THRESHOLD), 1);

        int from = group * d.get(PART_SIZE);
        int to = from + d.get(PART_SIZE) < d.get(SIZE) ? from + d.get(PART_SIZE) : d.get(SIZE);
        for (int i = from + item; i < to; i += Kernel.GROUP) {
            float u = update(d, s, gradients, variance, columnVariance, work, i);
            float w = weights.get(d.get(WEIGHTS) + i);
            weights.set(d.get(WEIGHTS) + i, w - (s.get(DECAY) * w + rate * u));
        }
    }
}
