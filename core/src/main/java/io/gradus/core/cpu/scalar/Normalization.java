package io.gradus.core.cpu.scalar;

import io.gradus.core.Tensor;
import io.gradus.core.cpu.common.CpuStorage;
import io.gradus.core.cpu.common.Workers;
import io.gradus.core.kernel.NormalizationKernels;
import java.lang.foreign.MemorySegment;
import org.jspecify.annotations.Nullable;

/**
 * Layer normalization and RMS normalization, one row at a time. Means are tree sums, completed in double; gradients of weights are
 * summed in double ({@link ColumnReducer}). RMS normalization is layer normalization with a constant mean of 0, so both share
 * their loops.
 */
final class Normalization implements NormalizationKernels {
    private final Workers workers;

    public Normalization(Workers workers) {
        this.workers = workers;
    }

    @Override
    public void layerNorm(
            Tensor x, Tensor weight, @Nullable Tensor bias, double eps, Tensor y, Tensor mean, Tensor rstd) {
        int n = Math.toIntExact(x.shape().last());
        MemorySegment inputs = CpuStorage.of(x);
        MemorySegment means = CpuStorage.of(mean);
        MemorySegment scales = CpuStorage.of(rstd);
        MemorySegment outputs = CpuStorage.of(y);
        float[] w = load(weight, n);
        float[] b = bias == null ? new float[n] : load(bias, n);
        Chunks.rows(workers, x.shape().rows(), n, (scratch, row) -> {
            float[] values = scratch.floats(0, n);
            CpuStorage.load(inputs, row * n, values, n);
            float center = (float) (FloatMath.sum(values, n) / n);
            // The variance of the centered row, without cancellation if the mean is large.
            subtract(values, center, n);
            float scale = (float) (1 / Math.sqrt(FloatMath.dot(values, values, n) / n + eps));
            normalize(values, scale, w, b, n);
            CpuStorage.store(values, outputs, row * n, n);
            CpuStorage.set(means, row, center);
            CpuStorage.set(scales, row, scale);
        });
    }

    @Override
    public void rmsNorm(Tensor x, Tensor weight, double eps, Tensor y, Tensor rstd) {
        int n = Math.toIntExact(x.shape().last());
        MemorySegment inputs = CpuStorage.of(x);
        MemorySegment scales = CpuStorage.of(rstd);
        MemorySegment outputs = CpuStorage.of(y);
        float[] w = load(weight, n);
        Chunks.rows(workers, x.shape().rows(), n, (scratch, row) -> {
            float[] values = scratch.floats(0, n);
            CpuStorage.load(inputs, row * n, values, n);
            float scale = (float) (1 / Math.sqrt(FloatMath.dot(values, values, n) / n + eps));
            normalize(values, scale, w, n);
            CpuStorage.store(values, outputs, row * n, n);
            CpuStorage.set(scales, row, scale);
        });
    }

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
        backward(dy, x, weight, mean, rstd, dx, accumulateX);
        backwardWeight(dy, x, mean, rstd, dweight, accumulateWeight);
        if (dbias != null) {
            backwardBias(dy, dbias, accumulateBias);
        }
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
        backward(dy, x, weight, null, rstd, dx, accumulateX);
        backwardWeight(dy, x, null, rstd, dweight, accumulateWeight);
    }

    private void backward(
            Tensor dy, Tensor x, Tensor weight, @Nullable Tensor mean, Tensor rstd, Tensor dx, boolean accumulate) {
        int n = Math.toIntExact(x.shape().last());
        MemorySegment outer = CpuStorage.of(dy);
        MemorySegment inputs = CpuStorage.of(x);
        MemorySegment means = mean == null ? null : CpuStorage.of(mean);
        MemorySegment scales = CpuStorage.of(rstd);
        MemorySegment target = CpuStorage.of(dx);
        float[] w = load(weight, n);
        Chunks.rows(workers, x.shape().rows(), n, (scratch, row) -> {
            float[] normalized = scratch.floats(0, n);
            float[] gradient = scratch.floats(1, n);
            float scale = CpuStorage.get(scales, row);
            CpuStorage.load(inputs, row * n, normalized, n);
            CpuStorage.load(outer, row * n, gradient, n);
            if (means != null) {
                subtract(normalized, CpuStorage.get(means, row), n);
            }
            FloatMath.scale(normalized, scale, n);
            FloatMath.multiply(gradient, w, n);
            float meanProduct = (float) (FloatMath.dot(gradient, normalized, n) / n);
            float meanGradient = means == null ? 0 : (float) (FloatMath.sum(gradient, n) / n);
            project(gradient, normalized, scale, meanGradient, meanProduct, n);
            Chunks.write(scratch, gradient, target, row * n, n, accumulate);
        });
    }

    private void backwardWeight(
            Tensor dy, Tensor x, @Nullable Tensor mean, Tensor rstd, Tensor dweight, boolean accumulate) {
        long length = x.shape().last();
        MemorySegment outer = CpuStorage.of(dy);
        MemorySegment inputs = CpuStorage.of(x);
        MemorySegment means = mean == null ? null : CpuStorage.of(mean);
        MemorySegment scales = CpuStorage.of(rstd);
        ColumnReducer.Source products = (scratch, row, column, values, n) -> {
            float[] gradient = scratch.floats(1, n);
            CpuStorage.load(inputs, row * length + column, values, n);
            CpuStorage.load(outer, row * length + column, gradient, n);
            if (means != null) {
                subtract(values, CpuStorage.get(means, row), n);
            }
            normalize(values, CpuStorage.get(scales, row), gradient, n);
        };
        ColumnReducer.run(
                workers, Reducer.SUM, x.shape().rows(), length, products, CpuStorage.of(dweight), 0, accumulate);
    }

    private void backwardBias(Tensor dy, Tensor dbias, boolean accumulate) {
        long length = dy.shape().last();
        MemorySegment outer = CpuStorage.of(dy);
        ColumnReducer.Source gradients =
                (scratch, row, column, values, n) -> CpuStorage.load(outer, row * length + column, values, n);
        ColumnReducer.run(
                workers, Reducer.SUM, dy.shape().rows(), length, gradients, CpuStorage.of(dbias), 0, accumulate);
    }

    private static float[] load(Tensor weight, int n) {
        float[] elements = new float[n];
        CpuStorage.load(CpuStorage.of(weight), 0, elements, n);
        return elements;
    }

    private static void subtract(float[] x, float mean, int n) {
        for (int i = 0; i < n; i++) {
            x[i] -= mean;
        }
    }

    private static void normalize(float[] x, float scale, float[] weight, int n) {
        for (int i = 0; i < n; i++) {
            x[i] = x[i] * scale * weight[i];
        }
    }

    private static void normalize(float[] x, float scale, float[] weight, float[] bias, int n) {
        for (int i = 0; i < n; i++) {
            x[i] = Math.fma(x[i] * scale, weight[i], bias[i]);
        }
    }

    /** Removes the components of the gradient along the row's mean and along x̂. */
    private static void project(
            float[] gradient, float[] normalized, float scale, float meanGradient, float meanProduct, int n) {
        for (int i = 0; i < n; i++) {
            gradient[i] = scale * (gradient[i] - meanGradient - normalized[i] * meanProduct);
        }
    }
}
