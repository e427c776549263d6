package io.gradus.core.cpu.scalar;

import io.gradus.core.Tensor;
import io.gradus.core.cpu.common.CpuStorage;
import io.gradus.core.cpu.common.Workers;
import io.gradus.core.kernel.SoftmaxKernels;
import java.lang.foreign.MemorySegment;

/** Softmax over the last axis, one row at a time. Sums are trees, completed in double. */
final class Softmax implements SoftmaxKernels {
    private final Workers workers;

    public Softmax(Workers workers) {
        this.workers = workers;
    }

    @Override
    public void softmax(Tensor x, Tensor y) {
        int n = Math.toIntExact(x.shape().last());
        MemorySegment source = CpuStorage.of(x);
        MemorySegment target = CpuStorage.of(y);
        Chunks.rows(workers, x.shape().rows(), n, (scratch, row) -> {
            float[] values = scratch.floats(0, n);
            CpuStorage.load(source, row * n, values, n);
            FloatMath.exp(values, FloatMath.max(values, n), values, n);
            FloatMath.scale(values, (float) (1 / FloatMath.sum(values, n)), n);
            CpuStorage.store(values, target, row * n, n);
        });
    }

    @Override
    public void softmaxBackward(Tensor y, Tensor dy, Tensor dx, boolean accumulate) {
        int n = Math.toIntExact(y.shape().last());
        MemorySegment results = CpuStorage.of(y);
        MemorySegment outer = CpuStorage.of(dy);
        MemorySegment target = CpuStorage.of(dx);
        Chunks.rows(workers, y.shape().rows(), n, (scratch, row) -> {
            float[] result = scratch.floats(0, n);
            float[] gradient = scratch.floats(1, n);
            CpuStorage.load(results, row * n, result, n);
            CpuStorage.load(outer, row * n, gradient, n);
            softmaxBackward(result, gradient, (float) FloatMath.dot(result, gradient, n), n);
            Chunks.write(scratch, gradient, target, row * n, n, accumulate);
        });
    }

    private static void softmaxBackward(float[] y, float[] dy, float dot, int n) {
        for (int i = 0; i < n; i++) {
            dy[i] = y[i] * (dy[i] - dot);
        }
    }

    @Override
    public void logSoftmax(Tensor x, Tensor y) {
        int n = Math.toIntExact(x.shape().last());
        MemorySegment source = CpuStorage.of(x);
        MemorySegment target = CpuStorage.of(y);
        Chunks.rows(workers, x.shape().rows(), n, (scratch, row) -> {
            float[] values = scratch.floats(0, n);
            float[] exponentials = scratch.floats(1, n);
            CpuStorage.load(source, row * n, values, n);
            float max = FloatMath.max(values, n);
            FloatMath.exp(values, max, exponentials, n);
            logSoftmax(values, max, (float) Math.log(FloatMath.sum(exponentials, n)), n);
            CpuStorage.store(values, target, row * n, n);
        });
    }

    // Two subtractions, because the first is exact near the largest element, where it matters.
    private static void logSoftmax(float[] x, float max, float logSum, int n) {
        for (int i = 0; i < n; i++) {
            x[i] = x[i] - max - logSum;
        }
    }

    @Override
    public void logSoftmaxBackward(Tensor y, Tensor dy, Tensor dx, boolean accumulate) {
        int n = Math.toIntExact(y.shape().last());
        MemorySegment results = CpuStorage.of(y);
        MemorySegment outer = CpuStorage.of(dy);
        MemorySegment target = CpuStorage.of(dx);
        Chunks.rows(workers, y.shape().rows(), n, (scratch, row) -> {
            float[] result = scratch.floats(0, n);
            float[] gradient = scratch.floats(1, n);
            CpuStorage.load(results, row * n, result, n);
            CpuStorage.load(outer, row * n, gradient, n);
            FloatMath.exp(result, 0, result, n);
            logSoftmaxBackward(result, gradient, (float) FloatMath.sum(gradient, n), n);
            Chunks.write(scratch, gradient, target, row * n, n, accumulate);
        });
    }

    private static void logSoftmaxBackward(float[] softmax, float[] dy, float sum, int n) {
        for (int i = 0; i < n; i++) {
            dy[i] = Math.fma(softmax[i], -sum, dy[i]);
        }
    }
}
