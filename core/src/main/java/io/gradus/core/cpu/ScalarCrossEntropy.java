package io.gradus.core.cpu;

import io.gradus.core.Tensor;
import io.gradus.core.kernel.Checks;
import io.gradus.core.kernel.CrossEntropyKernels;
import java.lang.foreign.MemorySegment;

/**
 * The negative log-likelihood of one class per row. The forward pass reads each row once, keeping the largest element so far
 * and the sum of exponentials relative to it (Milakov &amp; Gimelshein 2018, "Online normalizer calculation for softmax").
 */
final class ScalarCrossEntropy implements CrossEntropyKernels {
    private final Workers workers;

    ScalarCrossEntropy(Workers workers) {
        this.workers = workers;
    }

    @Override
    public void forward(Tensor logits, Tensor targets, int ignoreIndex, Tensor loss, Tensor logSumExp) {
        CrossEntropyKernels.check(logits, targets, loss, logSumExp);
        MemorySegment source = CpuStorage.of(logits);
        MemorySegment classes = CpuStorage.of(targets);
        MemorySegment losses = CpuStorage.of(loss);
        MemorySegment denominators = CpuStorage.of(logSumExp);
        long width = logits.shape().get(1);
        checkTargets(classes, targets.size(), ignoreIndex, width);
        Chunks.rows(workers, targets.size(), width, (scratch, row) -> {
            int target = CpuStorage.getInt(classes, row);
            double denominator = logSumExp(scratch, source, row * width, width);
            CpuStorage.set(denominators, row, (float) denominator);
            CpuStorage.set(
                    losses,
                    row,
                    target == ignoreIndex ? 0 : (float) (denominator - CpuStorage.get(source, row * width + target)));
        });
    }

    private static void checkTargets(MemorySegment targets, long count, int ignoreIndex, long classes) {
        for (long row = 0; row < count; row++) {
            int target = CpuStorage.getInt(targets, row);
            if (target != ignoreIndex && (target < 0 || target >= classes)) {
                throw new IllegalArgumentException("crossEntropy: the target of row " + row + " is " + target
                        + ", neither one of " + classes + " classes nor the ignored " + ignoreIndex
                        + "; does the tokeniser belong to this model (vocab_size)?");
            }
        }
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
            // Nothing but −∞ so far: relative to 0, so that it adds nothing.
            FloatMath.exp(values, 1, max == Float.NEGATIVE_INFINITY ? 0 : -max, values, n);
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
        CrossEntropyKernels.check(logits, targets, logSumExp, dloss);
        CrossEntropyKernels.check(dlogits, targets);
        Checks.sameShape("crossEntropy", logits, dlogits);
        MemorySegment source = CpuStorage.of(logits);
        MemorySegment classes = CpuStorage.of(targets);
        MemorySegment denominators = CpuStorage.of(logSumExp);
        MemorySegment outer = CpuStorage.of(dloss);
        MemorySegment target = CpuStorage.of(dlogits);
        long width = logits.shape().get(1);
        checkTargets(classes, targets.size(), ignoreIndex, width);
        Chunks.rows(workers, targets.size(), width, (scratch, row) -> {
            int goal = CpuStorage.getInt(classes, row);
            if (goal == ignoreIndex) {
                if (!accumulate) {
                    target.asSlice(row * width * 4, width * 4).fill((byte) 0);
                }
                return;
            }
            float shift = -CpuStorage.get(denominators, row);
            float factor = CpuStorage.get(outer, row);
            float[] values = scratch.floats(0, Chunks.SIZE);
            for (long done = 0; done < width; done += Chunks.SIZE) {
                int n = (int) Math.min(Chunks.SIZE, width - done);
                CpuStorage.load(source, row * width + done, values, n);
                FloatMath.exp(values, 1, shift, values, n);
                if (goal >= done && goal < done + n) {
                    values[(int) (goal - done)] -= 1;
                }
                FloatMath.scale(values, factor, n);
                Chunks.write(scratch, values, target, row * width + done, n, accumulate);
            }
        });
    }

    @Override
    public long count(Tensor targets, int ignoreIndex) {
        Checks.ids("crossEntropy", targets, targets);
        MemorySegment classes = CpuStorage.of(targets);
        long count = 0;
        for (long row = 0; row < targets.size(); row++) {
            count += CpuStorage.getInt(classes, row) == ignoreIndex ? 0 : 1;
        }
        return count;
    }
}
