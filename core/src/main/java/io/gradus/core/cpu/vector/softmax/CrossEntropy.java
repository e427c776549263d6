package io.gradus.core.cpu.vector.softmax;

import io.gradus.core.Tensor;
import io.gradus.core.cpu.common.CpuStorage;
import io.gradus.core.cpu.common.Targets;
import io.gradus.core.cpu.common.Workers;
import io.gradus.core.cpu.vector.Lanes;
import io.gradus.core.cpu.vector.Rows;
import io.gradus.core.cpu.vector.VectorMath;
import io.gradus.core.kernel.CrossEntropyKernels;
import java.lang.foreign.MemorySegment;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.VectorMask;
import org.jspecify.annotations.Nullable;

/**
 * The negative log-likelihood of one class per row. The forward pass reads each row once ({@link RowExponentials}). With the
 * gradient, it writes the exponentials to the gradient's memory and scales them while they are still in the cache.
 */
public final class CrossEntropy implements CrossEntropyKernels {
    private static final int COUNT = Lanes.COUNT;

    private final Workers workers;

    public CrossEntropy(Workers workers) {
        this.workers = workers;
    }

    @Override
    public void forward(Tensor logits, Tensor targets, int ignoreIndex, Tensor loss, Tensor logSumExp) {
        Targets goals = Targets.of(targets, ignoreIndex, logits.shape().get(1));
        MemorySegment source = CpuStorage.of(logits);
        MemorySegment losses = CpuStorage.of(loss);
        MemorySegment denominators = CpuStorage.of(logSumExp);
        long width = logits.shape().get(1);
        Rows.forEach(workers, targets.size(), width, (from, to) -> {
            RowExponentials exponentials = new RowExponentials(width);
            for (long row = from; row < to; row++) {
                if (goals.ignores(row)) {
                    CpuStorage.set(losses, row, 0);
                    CpuStorage.set(denominators, row, 0);
                    continue;
                }
                exponentials.sum(source, row * width, (row + 1) * width);
                double denominator = exponentials.logSum() + exponentials.max();
                CpuStorage.set(denominators, row, (float) denominator);
                CpuStorage.set(
                        losses, row, (float) (denominator - CpuStorage.get(source, row * width + goals.of(row))));
            }
        });
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
        Targets goals = Targets.of(targets, ignoreIndex, logits.shape().get(1));
        MemorySegment source = CpuStorage.of(logits);
        MemorySegment denominators = CpuStorage.of(logSumExp);
        MemorySegment outer = CpuStorage.of(dloss);
        MemorySegment target = CpuStorage.of(dlogits);
        long width = logits.shape().get(1);
        Rows.forEach(workers, targets.size(), width, (from, to) -> {
            for (long row = from; row < to; row++) {
                long begin = row * width;
                if (!goals.ignores(row)) {
                    float factor = CpuStorage.get(outer, row);
                    float denominator = CpuStorage.get(denominators, row);
                    gradient(source, denominator, factor, target, accumulate, begin, begin + width);
                    subtract(target, begin + goals.of(row), factor);
                } else if (!accumulate) {
                    clear(target, begin, width);
                }
            }
        });
    }

    private static void gradient(
            MemorySegment x, float logSumExp, float factor, MemorySegment dx, boolean accumulate, long from, long to) {
        long i = from;
        for (; i <= to - COUNT; i += COUNT) {
            FloatVector gradient =
                    VectorMath.expOfNonPositive(Lanes.load(x, i).sub(logSumExp)).mul(factor);
            Lanes.store(accumulate ? gradient.add(Lanes.load(dx, i)) : gradient, dx, i);
        }
        if (i < to) {
            VectorMask<Float> rest = Lanes.first(to - i);
            FloatVector gradient = VectorMath.expOfNonPositive(
                            Lanes.load(x, i, rest).sub(logSumExp))
                    .mul(factor);
            Lanes.store(accumulate ? gradient.add(Lanes.load(dx, i, rest)) : gradient, dx, i, rest);
        }
    }

    @Override
    public void forwardBackward(
            Tensor logits,
            Tensor targets,
            int ignoreIndex,
            @Nullable Tensor weights,
            double scale,
            Tensor loss,
            Tensor dlogits) {
        Targets goals = Targets.of(targets, ignoreIndex, logits.shape().get(1));
        MemorySegment source = CpuStorage.of(logits);
        MemorySegment factors = weights == null ? null : CpuStorage.of(weights);
        MemorySegment losses = CpuStorage.of(loss);
        MemorySegment target = CpuStorage.of(dlogits);
        long width = logits.shape().get(1);
        Rows.forEach(workers, targets.size(), width, (from, to) -> {
            RowExponentials exponentials = new RowExponentials(width);
            for (long row = from; row < to; row++) {
                long begin = row * width;
                if (goals.ignores(row)) {
                    CpuStorage.set(losses, row, 0);
                    clear(target, begin, width);
                    continue;
                }
                long goal = begin + goals.of(row);
                // before the gradient replaces it
                float logit = CpuStorage.get(source, goal);
                double factor = scale * (factors == null ? 1 : CpuStorage.get(factors, row));
                exponentials.keep(source, target, begin, begin + width);
                exponentials.finish(factor, target, begin, begin + width);
                subtract(target, goal, (float) factor);
                CpuStorage.set(losses, row, (float) (exponentials.logSum() + exponentials.max() - logit));
            }
        });
    }

    private static void subtract(MemorySegment target, long at, float number) {
        CpuStorage.set(target, at, CpuStorage.get(target, at) - number);
    }

    private static void clear(MemorySegment target, long begin, long width) {
        target.asSlice(begin * 4, width * 4).fill((byte) 0);
    }

    @Override
    public long count(Tensor targets, int ignoreIndex) {
        return Targets.count(targets, ignoreIndex);
    }
}
