package io.gradus.gpu;

import static io.gradus.gpu.runtime.Launcher.flag;
import static io.gradus.gpu.runtime.Launcher.floats;
import static io.gradus.gpu.runtime.Launcher.ints;

import io.gradus.core.DType;
import io.gradus.core.GradientBuffer;
import io.gradus.core.MemoryCategory;
import io.gradus.core.Shape;
import io.gradus.core.Tensor;
import io.gradus.core.kernel.NormalizationKernels;
import io.gradus.gpu.runtime.Kernel;
import io.gradus.gpu.runtime.Launcher;
import org.jspecify.annotations.Nullable;
import uk.ac.manchester.tornado.api.KernelContext;
import uk.ac.manchester.tornado.api.math.TornadoMath;
import uk.ac.manchester.tornado.api.types.arrays.FloatArray;
import uk.ac.manchester.tornado.api.types.arrays.IntArray;

/**
 * {@link NormalizationKernels} over {@link Rows}. RMS normalization is layer normalization with a constant mean of 0,
 * so the two share their kernels. The gradients of weight and bias are column sums: one kernel sums strips of rows,
 * with neighboring work-items on neighboring columns, and another adds the strips.
 */
final class Normalization implements NormalizationKernels {
    private static final Kernel FORWARD = Kernel.of("normalization", Normalization::forwardKernel);
    private static final Kernel BACKWARD = Kernel.of("normalization_backward", Normalization::backwardKernel);
    private static final Kernel COLUMNS = Kernel.of("normalization_columns", Normalization::columnsKernel);
    private static final Kernel TOTALS = Kernel.of("normalization_totals", Normalization::totalsKernel);
    /**
     * The minimum number of rows in a strip. For many rows it is larger, so that there are no more strips than rows in
     * a strip.
     */
    private static final int MIN_ROWS = 32;

    // The descriptor: where the operands begin, then the integers of the launch.
    private static final int DWEIGHT = 0;
    private static final int X = 0;
    private static final int SUMS = 1;
    private static final int WEIGHT = 1;
    private static final int DBIAS = 2;
    private static final int MEAN = 2;
    private static final int RSTD = 3;
    private static final int BIAS = 4;
    private static final int DY = 4;
    private static final int DX = 5;
    private static final int Y = 5;
    private static final int ROWS = Kernel.INTS;
    private static final int STRIPS = Kernel.INTS;
    private static final int WIDTH = Kernel.INTS + 1;
    private static final int LANES = Kernel.INTS + 2;
    private static final int ROWS_OF_STRIP = Kernel.INTS + 2;
    private static final int ACCUMULATE_WEIGHT = Kernel.INTS + 2;
    private static final int HAS_MEAN = Kernel.INTS + 3;
    private static final int ACCUMULATE_BIAS = Kernel.INTS + 3;
    private static final int HAS_BIAS = Kernel.INTS + 4;
    private static final int ACCUMULATE = Kernel.INTS + 4;
    private static final int RESULTS = Kernel.INTS + 4;

    // The floats of the launch.
    private static final int EPSILON = 0;

    private final Launcher launcher;

    Normalization(Launcher launcher) {
        this.launcher = launcher;
    }

    // ---- forward ----

    @Override
    public void layerNorm(
            Tensor x, Tensor weight, @Nullable Tensor bias, double eps, Tensor y, Tensor mean, Tensor rstd) {
        forward(x, weight, bias, eps, y, mean, rstd);
    }

    @Override
    public void rmsNorm(Tensor x, Tensor weight, double eps, Tensor y, Tensor rstd) {
        forward(x, weight, null, eps, y, null, rstd);
    }

    private void forward(
            Tensor x, Tensor weight, @Nullable Tensor bias, double eps, Tensor y, @Nullable Tensor mean, Tensor rstd) {
        long rows = x.shape().rows();
        int lanes = Rows.lanes(x.shape().last());
        launcher.run(
                FORWARD,
                rows * lanes,
                ints(rows, x.shape().last(), lanes, flag(mean != null), flag(bias != null)),
                floats(eps),
                x,
                weight,
                mean == null ? rstd : mean,
                rstd,
                bias == null ? weight : bias,
                y);
    }

    /**
     * Computes the mean, the variance of the centered row (which avoids cancellation if the mean is large), and the
     * result.
     */
    private static void forwardKernel(
            KernelContext c,
            IntArray d,
            FloatArray s,
            FloatArray x,
            FloatArray weight,
            FloatArray mean,
            FloatArray rstd,
            FloatArray bias,
            FloatArray y) {
        int width = d.get(WIDTH);
        int lanes = d.get(LANES);
        int row = c.globalIdx / lanes;
        int lane = Rows.lane(c, lanes);
        int n = row < d.get(ROWS) ? width : 0;
        int in = d.get(X) + row * width;
        boolean centered = d.get(HAS_MEAN) != 0;

        float part = 0;
        if (centered) {
            for (int i = lane; i < n; i += lanes) {
                part += x.get(in + i);
            }
        }
        float center = Rows.sum(c, lanes, part) / width;

        part = 0;
        for (int i = lane; i < n; i += lanes) {
            float value = x.get(in + i) - center;
            part += value * value;
        }
        float scale = 1 / TornadoMath.sqrt(Rows.sum(c, lanes, part) / width + s.get(EPSILON));

        int out = d.get(Y) + row * width;
        boolean biased = d.get(HAS_BIAS) != 0;
        for (int i = lane; i < n; i += lanes) {
            float value = (x.get(in + i) - center) * scale * weight.get(d.get(WEIGHT) + i);
            y.set(out + i, biased ? value + bias.get(d.get(BIAS) + i) : value);
        }
        if (lane == 0 && row < d.get(ROWS)) {
            if (centered) {
                mean.set(d.get(MEAN) + row, center);
            }
            rstd.set(d.get(RSTD) + row, scale);
        }
    }

    // ---- backward ----

    @Override
    public void layerNormBackward(
            Tensor dy,
            Tensor x,
            Tensor weight,
            Tensor mean,
            Tensor rstd,
            GradientBuffer dx,
            GradientBuffer dweight,
            @Nullable GradientBuffer dbias) {
        backwardWeights(dy, x, mean, rstd, dweight, dbias);
        backward(dy, x, weight, mean, rstd, dx.gradient(), dx.accumulate());
    }

    @Override
    public void rmsNormBackward(
            Tensor dy, Tensor x, Tensor weight, Tensor rstd, GradientBuffer dx, GradientBuffer dweight) {
        backwardWeights(dy, x, null, rstd, dweight, null);
        backward(dy, x, weight, null, rstd, dx.gradient(), dx.accumulate());
    }

    private void backward(
            Tensor dy, Tensor x, Tensor weight, @Nullable Tensor mean, Tensor rstd, Tensor dx, boolean accumulate) {
        long rows = x.shape().rows();
        int lanes = Rows.lanes(x.shape().last());
        launcher.run(
                BACKWARD,
                rows * lanes,
                ints(rows, x.shape().last(), lanes, flag(mean != null), flag(accumulate)),
                floats(),
                x,
                weight,
                mean == null ? rstd : mean,
                rstd,
                dy,
                dx);
    }

    /**
     * {@code rstd·(ŵ − mean(ŵ) − x̂·mean(ŵ ⊙ x̂))} with {@code ŵ = dy ⊙ weight}; without centering the first mean is 0.
     */
    private static void backwardKernel(
            KernelContext c,
            IntArray d,
            FloatArray s,
            FloatArray x,
            FloatArray weight,
            FloatArray mean,
            FloatArray rstd,
            FloatArray dy,
            FloatArray dx) {
        int width = d.get(WIDTH);
        int lanes = d.get(LANES);
        int row = c.globalIdx / lanes;
        int lane = Rows.lane(c, lanes);
        boolean exists = row < d.get(ROWS);
        boolean centered = d.get(HAS_MEAN) != 0;
        int n = exists ? width : 0;
        int outer = d.get(DY) + row * width;
        int in = d.get(X) + row * width;
        float center = exists && centered ? mean.get(d.get(MEAN) + row) : 0;
        float scale = exists ? rstd.get(d.get(RSTD) + row) : 0;

        float gradients = 0;
        float products = 0;
        for (int i = lane; i < n; i += lanes) {
            float gradient = dy.get(outer + i) * weight.get(d.get(WEIGHT) + i);
            gradients += gradient;
            products += gradient * ((x.get(in + i) - center) * scale);
        }
        float meanProduct = Rows.sum(c, lanes, products) / width;
        float meanGradient = Rows.sum(c, lanes, centered ? gradients : 0) / width;

        int target = d.get(DX) + row * width;
        for (int i = lane; i < n; i += lanes) {
            float gradient = dy.get(outer + i) * weight.get(d.get(WEIGHT) + i);
            float normalized = (x.get(in + i) - center) * scale;
            float value = scale * (gradient - meanGradient - normalized * meanProduct);
            Kernel.write(dx, target + i, value, d.get(ACCUMULATE));
        }
    }

    private void backwardWeights(
            Tensor dy,
            Tensor x,
            @Nullable Tensor mean,
            Tensor rstd,
            GradientBuffer dweight,
            @Nullable GradientBuffer dbias) {
        long rows = x.shape().rows();
        long width = x.shape().last();
        long rowsOfStrip = Math.max(MIN_ROWS, (long) Math.ceil(Math.sqrt(rows)));
        long strips = Math.ceilDiv(rows, rowsOfStrip);
        int results = dbias == null ? 1 : 2;
        Tensor sums = Tensor.empty(x.device(), DType.F32, Shape.of(strips, results, width), MemoryCategory.WORKSPACE);
        try {
            launcher.run(
                    COLUMNS,
                    width,
                    strips,
                    ints(rows, width, rowsOfStrip, flag(mean != null), results),
                    floats(),
                    x,
                    sums,
                    mean == null ? rstd : mean,
                    rstd,
                    dy);
            launcher.run(
                    TOTALS,
                    results * width,
                    ints(strips, width, flag(dweight.accumulate()), flag(dbias != null && dbias.accumulate()), results),
                    floats(),
                    dweight.gradient(),
                    sums,
                    dbias == null ? dweight.gradient() : dbias.gradient());
        } finally {
            sums.release();
        }
    }

    /** {@code Σ dy ⊙ x̂} and {@code Σ dy} over one column of a strip of rows. */
    private static void columnsKernel(
            KernelContext c,
            IntArray d,
            FloatArray s,
            FloatArray x,
            FloatArray sums,
            FloatArray mean,
            FloatArray rstd,
            FloatArray dy) {
        int column = c.globalIdx;
        int width = d.get(WIDTH);
        if (column < width) {
            int part = c.globalIdy;
            int from = part * d.get(ROWS_OF_STRIP);
            int to = from + d.get(ROWS_OF_STRIP) < d.get(ROWS) ? from + d.get(ROWS_OF_STRIP) : d.get(ROWS);
            boolean centered = d.get(HAS_MEAN) != 0;
            float products = 0;
            float gradients = 0;
            for (int row = from; row < to; row++) {
                float gradient = dy.get(d.get(DY) + row * width + column);
                float center = centered ? mean.get(d.get(MEAN) + row) : 0;
                float value = x.get(d.get(X) + row * width + column) - center;
                products += gradient * (value * rstd.get(d.get(RSTD) + row));
                gradients += gradient;
            }
            int out = d.get(SUMS) + part * d.get(RESULTS) * width + column;
            sums.set(out, products);
            if (d.get(RESULTS) == 2) {
                sums.set(out + width, gradients);
            }
        }
    }

    /** Adds the strips: first the sums for the weight, then those for the bias. */
    private static void totalsKernel(
            KernelContext c, IntArray d, FloatArray s, FloatArray dweight, FloatArray sums, FloatArray dbias) {
        int i = c.globalIdx;
        int width = d.get(WIDTH);
        int results = d.get(RESULTS) * width;
        if (i < results) {
            float total = 0;
            for (int part = 0; part < d.get(STRIPS); part++) {
                total += sums.get(d.get(SUMS) + part * results + i);
            }
            if (i < width) {
                Kernel.write(dweight, d.get(DWEIGHT) + i, total, d.get(ACCUMULATE_WEIGHT));
            } else {
                Kernel.write(dbias, d.get(DBIAS) + i - width, total, d.get(ACCUMULATE_BIAS));
            }
        }
    }
}
