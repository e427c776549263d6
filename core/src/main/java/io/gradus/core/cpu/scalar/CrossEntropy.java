package io.gradus.core.cpu.scalar;

import io.gradus.core.Tensor;
import io.gradus.core.cpu.common.CpuStorage;
import io.gradus.core.cpu.common.Scratch;
import io.gradus.core.cpu.common.Targets;
import io.gradus.core.cpu.common.Workers;
import io.gradus.core.kernel.CrossEntropyKernels;
import java.lang.foreign.MemorySegment;
import org.jspecify.annotations.Nullable;

/**
 * The negative log-likelihood of one class per row. The forward pass reads each row once, keeping the running maximum and
 * the sum of exponentials relative to it (Milakov &amp; Gimelshein 2018, "Online normalizer calculation for softmax").
 */
final class CrossEntropy implements CrossEntropyKernels {
    private final Workers workers;

    public CrossEntropy(Workers workers) {
        this.workers = workers;
    }

    @Override
    public void forward(Tensor logits, Tensor targets, int ignoreIndex, Tensor loss, Tensor logSumExp) {
        MemorySegment source = CpuStorage.of(logits);
        MemorySegment losses = CpuStorage.of(loss);
        MemorySegment denominators = CpuStorage.of(logSumExp);
        long width = logits.shape().get(1);
        Targets goals = Targets.of(targets, ignoreIndex, width);
        Chunks.rows(workers, targets.size(), width, (scratch, row) -> {
            double denominator = logSumExp(scratch, source, row * width, width);
            CpuStorage.set(denominators, row, (float) denominator);
            CpuStorage.set(
                    losses,
                    row,
                    goals.ignores(row)
                            ? 0
                            : (float) (denominator - CpuStorage.get(source, row * width + goals.of(row))));
        });
    }

    private static double logSumExp(Scratch scratch, MemorySegment logits, long begin, long width) {
        float[] values = scratch.floats(0, Chunks.SIZE);
        float max = Float.NEGATIVE_INFINITY;
        double sum = 0;
        for (long done = 0; done < width; done += Chunks.SIZE) {
            int n = (int) Math.min(Chunks.SIZE, width - done);
            CpuStorage.load(logits, begin + done, values, n);
            float chunkMax = FloatMath.max(values, n);
            if (chunkMax > max) {
                sum *= Math.exp((double) max - chunkMax);
                max = chunkMax;
            }
            // Only −∞ so far: use 0 as the maximum, so that these add 0.
            FloatMath.exp(values, max == Float.NEGATIVE_INFINITY ? 0 : max, values, n);
            sum += FloatMath.sum(values, n);
        }
        return Math.log(sum) + (sum == 0 ? 0 : max);
    }

    @Override
    public void backward(
            Tensor logits,
            Tensor targets,
            int ignoreIndex,
            Tensor logSumExp,
            Tensor dloss,
            Tensor dlogits,
            boolean accumulate) {
        MemorySegment source = CpuStorage.of(logits);
        MemorySegment denominators = CpuStorage.of(logSumExp);
        MemorySegment outer = CpuStorage.of(dloss);
        MemorySegment target = CpuStorage.of(dlogits);
        long width = logits.shape().get(1);
        Targets goals = Targets.of(targets, ignoreIndex, width);
        Chunks.rows(workers, targets.size(), width, (scratch, row) -> {
            if (goals.ignores(row)) {
                if (!accumulate) {
                    clear(target, row * width, width);
                }
                return;
            }
            float denominator = CpuStorage.get(denominators, row);
            float factor = CpuStorage.get(outer, row);
            gradient(scratch, source, target, row * width, width, goals.of(row), denominator, factor, accumulate);
        });
    }

    /** Computes the gradient of a row while its logits are still in the cache. */
    @Override
    public void forwardBackward(
            Tensor logits,
            Tensor targets,
            int ignoreIndex,
            @Nullable Tensor weights,
            double scale,
            Tensor loss,
            Tensor dlogits) {
        MemorySegment source = CpuStorage.of(logits);
        MemorySegment factors = weights == null ? null : CpuStorage.of(weights);
        MemorySegment losses = CpuStorage.of(loss);
        MemorySegment target = CpuStorage.of(dlogits);
        long width = logits.shape().get(1);
        Targets goals = Targets.of(targets, ignoreIndex, width);
        Chunks.rows(workers, targets.size(), width, (scratch, row) -> {
            long begin = row * width;
            if (goals.ignores(row)) {
                CpuStorage.set(losses, row, 0);
                clear(target, begin, width);
                return;
            }
            double denominator = logSumExp(scratch, source, begin, width);
            CpuStorage.set(losses, row, (float) (denominator - CpuStorage.get(source, begin + goals.of(row))));
            float factor = (float) (scale * (factors == null ? 1 : CpuStorage.get(factors, row)));
            gradient(scratch, source, target, begin, width, goals.of(row), (float) denominator, factor, false);
        });
    }

    private static void clear(MemorySegment target, long begin, long width) {
        target.asSlice(begin * 4, width * 4).fill((byte) 0);
    }

    /** {@code factor·(softmax − onehot(goal))} of one row. */
    private static void gradient(
            Scratch scratch,
            MemorySegment source,
            MemorySegment target,
            long begin,
            long width,
            int goal,
            float logSumExp,
            float factor,
            boolean accumulate) {
        float[] values = scratch.floats(0, Chunks.SIZE);
        for (long done = 0; done < width; done += Chunks.SIZE) {
            int n = (int) Math.min(Chunks.SIZE, width - done);
            CpuStorage.load(source, begin + done, values, n);
            FloatMath.exp(values, logSumExp, values, n);
            if (goal >= done && goal < done + n) {
                values[(int) (goal - done)] -= 1;
            }
            FloatMath.scale(values, factor, n);
            Chunks.write(scratch, values, target, begin + done, n, accumulate);
        }
    }

    @Override
    public long count(Tensor targets, int ignoreIndex) {
        return Targets.count(targets, ignoreIndex);
    }
}
