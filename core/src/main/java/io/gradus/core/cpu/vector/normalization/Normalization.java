package io.gradus.core.cpu.vector.normalization;

import io.gradus.core.GradientBuffer;
import io.gradus.core.Tensor;
import io.gradus.core.cpu.common.CpuStorage;
import io.gradus.core.cpu.common.Workers;
import io.gradus.core.cpu.vector.Lanes;
import io.gradus.core.cpu.vector.Rows;
import io.gradus.core.kernel.NormalizationKernels;
import java.lang.foreign.MemorySegment;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.VectorMask;
import org.jspecify.annotations.Nullable;

/**
 * Layer normalization and RMS normalization. Rows are processed in blocks ({@link Rows}): all means, then all variances of the
 * centered rows (which avoids cancellation), then all results, while the block stays in the first-level cache. RMS
 * normalization is layer normalization with a mean of 0, so both share their loops and their gradients
 * ({@link NormalizationGradients}).
 */
public final class Normalization implements NormalizationKernels {
    private static final int COUNT = Lanes.COUNT;

    private final Workers workers;

    public Normalization(Workers workers) {
        this.workers = workers;
    }

    @Override
    public void layerNorm(
            Tensor x, Tensor weight, @Nullable Tensor bias, double eps, Tensor y, Tensor mean, Tensor rstd) {
        long n = x.shape().last();
        MemorySegment inputs = CpuStorage.of(x);
        MemorySegment w = CpuStorage.of(weight);
        MemorySegment b = bias == null ? null : CpuStorage.of(bias);
        MemorySegment outputs = CpuStorage.of(y);
        MemorySegment means = CpuStorage.of(mean);
        MemorySegment scales = CpuStorage.of(rstd);
        long group = Rows.inBlock(n);
        Rows.forEach(workers, x.shape().rows(), n, (from, to) -> {
            for (long first = from; first < to; first += group) {
                long last = Math.min(to, first + group);
                for (long row = first; row < last; row++) {
                    CpuStorage.set(means, row, (float) (Rows.sum(inputs, row * n, (row + 1) * n) / n));
                }
                for (long row = first; row < last; row++) {
                    CpuStorage.set(scales, row, rstd(inputs, CpuStorage.get(means, row), n, row, eps));
                }
                for (long row = first; row < last; row++) {
                    float center = CpuStorage.get(means, row);
                    float scale = CpuStorage.get(scales, row);
                    if (b == null) {
                        normalize(inputs, center, scale, w, outputs, row * n, n);
                    } else {
                        normalize(inputs, center, scale, w, b, outputs, row * n, n);
                    }
                }
            }
        });
    }

    @Override
    public void rmsNorm(Tensor x, Tensor weight, double eps, Tensor y, Tensor rstd) {
        long n = x.shape().last();
        MemorySegment inputs = CpuStorage.of(x);
        MemorySegment w = CpuStorage.of(weight);
        MemorySegment outputs = CpuStorage.of(y);
        MemorySegment scales = CpuStorage.of(rstd);
        long group = Rows.inBlock(n);
        Rows.forEach(workers, x.shape().rows(), n, (from, to) -> {
            for (long first = from; first < to; first += group) {
                long last = Math.min(to, first + group);
                for (long row = first; row < last; row++) {
                    CpuStorage.set(scales, row, rstd(inputs, 0, n, row, eps));
                }
                for (long row = first; row < last; row++) {
                    normalize(inputs, 0, CpuStorage.get(scales, row), w, outputs, row * n, n);
                }
            }
        });
    }

    private static float rstd(MemorySegment x, float mean, long n, long row, double eps) {
        return (float) (1 / Math.sqrt(Rows.sumOfSquares(x, mean, row * n, (row + 1) * n) / n + eps));
    }

    /** {@code (x − mean)·rstd·weight} for the row that begins at an element. */
    private static void normalize(
            MemorySegment x, float mean, float rstd, MemorySegment weight, MemorySegment y, long begin, long n) {
        long i = 0;
        for (; i <= n - COUNT; i += COUNT) {
            FloatVector normalized = Lanes.load(x, begin + i).sub(mean).mul(rstd);
            Lanes.store(normalized.mul(Lanes.load(weight, i)), y, begin + i);
        }
        if (i < n) {
            VectorMask<Float> rest = Lanes.first(n - i);
            FloatVector normalized = Lanes.load(x, begin + i, rest).sub(mean).mul(rstd);
            Lanes.store(normalized.mul(Lanes.load(weight, i, rest)), y, begin + i, rest);
        }
    }

    /** The same plus a bias. */
    private static void normalize(
            MemorySegment x,
            float mean,
            float rstd,
            MemorySegment weight,
            MemorySegment bias,
            MemorySegment y,
            long begin,
            long n) {
        long i = 0;
        for (; i <= n - COUNT; i += COUNT) {
            FloatVector normalized = Lanes.load(x, begin + i).sub(mean).mul(rstd);
            Lanes.store(normalized.fma(Lanes.load(weight, i), Lanes.load(bias, i)), y, begin + i);
        }
        if (i < n) {
            VectorMask<Float> rest = Lanes.first(n - i);
            FloatVector normalized = Lanes.load(x, begin + i, rest).sub(mean).mul(rstd);
            Lanes.store(normalized.fma(Lanes.load(weight, i, rest), Lanes.load(bias, i, rest)), y, begin + i, rest);
        }
    }

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
        NormalizationGradients gradients = new NormalizationGradients(
                CpuStorage.of(dy),
                CpuStorage.of(x),
                CpuStorage.of(weight),
                CpuStorage.of(mean),
                CpuStorage.of(rstd),
                CpuStorage.of(dx.gradient()),
                dx.accumulate(),
                x.shape().last());
        gradients.run(workers, x.shape().rows());
        gradients.writeWeight(CpuStorage.of(dweight.gradient()), dweight.accumulate());
        if (dbias != null) {
            gradients.writeBias(CpuStorage.of(dbias.gradient()), dbias.accumulate());
        }
    }

    @Override
    public void rmsNormBackward(
            Tensor dy, Tensor x, Tensor weight, Tensor rstd, GradientBuffer dx, GradientBuffer dweight) {
        NormalizationGradients gradients = new NormalizationGradients(
                CpuStorage.of(dy),
                CpuStorage.of(x),
                CpuStorage.of(weight),
                null,
                CpuStorage.of(rstd),
                CpuStorage.of(dx.gradient()),
                dx.accumulate(),
                x.shape().last());
        gradients.run(workers, x.shape().rows());
        gradients.writeWeight(CpuStorage.of(dweight.gradient()), dweight.accumulate());
    }
}
