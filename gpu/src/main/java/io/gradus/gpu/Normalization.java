package io.gradus.gpu;

import static io.gradus.gpu.runtime.Launcher.flag;
import static io.gradus.gpu.runtime.Launcher.floats;
import static io.gradus.gpu.runtime.Launcher.ints;

import io.gradus.core.DType;
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
 * {@link NormalizationKernels} over {@link Rows}. Root-mean-square normalisation is layer normalisation with a mean of 0 that
 * nothing is differentiated through, so the two share their kernels. The gradients of weight and bias are sums over columns:
 * first of some rows at a time, neighbouring items taking neighbouring columns, then of these sums.
 */
final class Normalization implements NormalizationKernels {
    private static final Kernel FORWARD = Kernel.of("normalization", Normalization::forwardKernel);
    private static final Kernel BACKWARD = Kernel.of("normalization_backward", Normalization::backwardKernel);
    private static final Kernel COLUMNS = Kernel.of("normalization_columns", Normalization::columnsKernel);
    private static final Kernel TOTALS = Kernel.of("normalization_totals", Normalization::totalsKernel);
    /** The fewest rows that an item sums; it is more when there are many, so that the second sums are no longer than the first. */
    private static final int ROWS = 32;

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
                ints(rows, x.shape().last(), lanes, flag(bias != null), flag(mean != null)),
                floats(eps),
                x,
                weight,
                bias == null ? weight : bias,
                y,
                mean == null ? rstd : mean,
                rstd);
    }

    /** The mean, the variance of the centred row (nothing cancels when the mean is large), and the result. */
    private static void forwardKernel(
            KernelContext c,
            IntArray d,
            FloatArray s,
            FloatArray x,
            FloatArray weight,
            FloatArray bias,
            FloatArray y,
            FloatArray mean,
            FloatArray rstd) {
        int width = d.get(7);
        int lanes = d.get(8);
        int row = c.globalIdx / lanes;
        int lane = Rows.lane(c, lanes);
        int n = row < d.get(6) ? width : 0;
        int in = d.get(0) + row * width;
        boolean centred = d.get(10) != 0;

        float part = 0;
        if (centred) {
            for (int i = lane; i < n; i += lanes) {
                part += x.get(in + i);
            }
        }
        float centre = Rows.sum(c, lanes, part) / width;

        part = 0;
        for (int i = lane; i < n; i += lanes) {
            float value = x.get(in + i) - centre;
            part += value * value;
        }
        float scale = 1 / TornadoMath.sqrt(Rows.sum(c, lanes, part) / width + s.get(0));

        int out = d.get(3) + row * width;
        boolean biased = d.get(9) != 0;
        for (int i = lane; i < n; i += lanes) {
            float value = (x.get(in + i) - centre) * scale * weight.get(d.get(1) + i);
            y.set(out + i, biased ? value + bias.get(d.get(2) + i) : value);
        }
        if (lane == 0 && row < d.get(6)) {
            if (centred) {
                mean.set(d.get(4) + row, centre);
            }
            rstd.set(d.get(5) + row, scale);
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
            Tensor dx,
            boolean accumulateX,
            Tensor dweight,
            boolean accumulateWeight,
            @Nullable Tensor dbias,
            boolean accumulateBias) {
        backwardWeights(dy, x, mean, rstd, dweight, accumulateWeight, dbias, accumulateBias);
        backward(dy, x, weight, mean, rstd, dx, accumulateX);
    }

    @Override
    public void rmsNormBackward(
            Tensor dy,
            Tensor x,
            Tensor weight,
            Tensor rstd,
            Tensor dx,
            boolean accumulateX,
            Tensor dweight,
            boolean accumulateWeight) {
        backwardWeights(dy, x, null, rstd, dweight, accumulateWeight, null, false);
        backward(dy, x, weight, null, rstd, dx, accumulateX);
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
                dy,
                x,
                weight,
                mean == null ? rstd : mean,
                rstd,
                dx);
    }

    /** {@code rstd·(ŵ − mean(ŵ) − x̂·mean(ŵ ⊙ x̂))}; the first mean is 0 where nothing was centred. */
    private static void backwardKernel(
            KernelContext c,
            IntArray d,
            FloatArray s,
            FloatArray dy,
            FloatArray x,
            FloatArray weight,
            FloatArray mean,
            FloatArray rstd,
            FloatArray dx) {
        int width = d.get(7);
        int lanes = d.get(8);
        int row = c.globalIdx / lanes;
        int lane = Rows.lane(c, lanes);
        boolean exists = row < d.get(6);
        boolean centred = d.get(9) != 0;
        int n = exists ? width : 0;
        int outer = d.get(0) + row * width;
        int in = d.get(1) + row * width;
        float centre = exists && centred ? mean.get(d.get(3) + row) : 0;
        float scale = exists ? rstd.get(d.get(4) + row) : 0;

        float gradients = 0;
        float products = 0;
        for (int i = lane; i < n; i += lanes) {
            float gradient = dy.get(outer + i) * weight.get(d.get(2) + i);
            gradients += gradient;
            products += gradient * ((x.get(in + i) - centre) * scale);
        }
        float meanProduct = Rows.sum(c, lanes, products) / width;
        float meanGradient = Rows.sum(c, lanes, centred ? gradients : 0) / width;

        int target = d.get(5) + row * width;
        for (int i = lane; i < n; i += lanes) {
            float gradient = dy.get(outer + i) * weight.get(d.get(2) + i);
            float normalized = (x.get(in + i) - centre) * scale;
            float value = scale * (gradient - meanGradient - normalized * meanProduct);
            Kernel.write(dx, target + i, value, d.get(10));
        }
    }

    private void backwardWeights(
            Tensor dy,
            Tensor x,
            @Nullable Tensor mean,
            Tensor rstd,
            Tensor dweight,
            boolean accumulateWeight,
            @Nullable Tensor dbias,
            boolean accumulateBias) {
        long rows = x.shape().rows();
        long width = x.shape().last();
        long rowsOfItem = Math.max(ROWS, (long) Math.ceil(Math.sqrt(rows)));
        long parts = Math.ceilDiv(rows, rowsOfItem);
        int results = dbias == null ? 1 : 2;
        Tensor sums = Tensor.empty(x.device(), DType.F32, Shape.of(parts, results, width), MemoryCategory.WORKSPACE);
        try {
            launcher.run(
                    COLUMNS,
                    width,
                    parts,
                    ints(rows, width, rowsOfItem, results, flag(mean != null)),
                    floats(),
                    dy,
                    x,
                    mean == null ? rstd : mean,
                    rstd,
                    sums);
            launcher.run(
                    TOTALS,
                    results * width,
                    ints(width, parts, results, flag(accumulateWeight), flag(accumulateBias)),
                    floats(),
                    sums,
                    dweight,
                    dbias == null ? dweight : dbias);
        } finally {
            sums.release();
        }
    }

    /** {@code Σ dy ⊙ x̂} and {@code Σ dy} over some rows of one column. */
    private static void columnsKernel(
            KernelContext c,
            IntArray d,
            FloatArray s,
            FloatArray dy,
            FloatArray x,
            FloatArray mean,
            FloatArray rstd,
            FloatArray sums) {
        int column = c.globalIdx;
        int width = d.get(6);
        if (column < width) {
            int part = c.globalIdy;
            int from = part * d.get(7);
            int to = from + d.get(7) < d.get(5) ? from + d.get(7) : d.get(5);
            boolean centred = d.get(9) != 0;
            float products = 0;
            float gradients = 0;
            for (int row = from; row < to; row++) {
                float gradient = dy.get(d.get(0) + row * width + column);
                float centre = centred ? mean.get(d.get(2) + row) : 0;
                float value = x.get(d.get(1) + row * width + column) - centre;
                products += gradient * (value * rstd.get(d.get(3) + row));
                gradients += gradient;
            }
            int out = d.get(4) + part * d.get(8) * width + column;
            sums.set(out, products);
            if (d.get(8) == 2) {
                sums.set(out + width, gradients);
            }
        }
    }

    /** The sums of the parts: those of the weight, then those of the bias. */
    private static void totalsKernel(
            KernelContext c, IntArray d, FloatArray s, FloatArray sums, FloatArray dweight, FloatArray dbias) {
        int i = c.globalIdx;
        int width = d.get(3);
        int results = d.get(5) * width;
        if (i < results) {
            float total = 0;
            for (int part = 0; part < d.get(4); part++) {
                total += sums.get(d.get(0) + part * results + i);
            }
            if (i < width) {
                Kernel.write(dweight, d.get(1) + i, total, d.get(6));
            } else {
                Kernel.write(dbias, d.get(2) + i - width, total, d.get(7));
            }
        }
    }
}
