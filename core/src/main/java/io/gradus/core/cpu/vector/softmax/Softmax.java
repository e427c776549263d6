package io.gradus.core.cpu.vector.softmax;

import io.gradus.core.Tensor;
import io.gradus.core.cpu.common.CpuStorage;
import io.gradus.core.cpu.common.Scratch;
import io.gradus.core.cpu.common.Workers;
import io.gradus.core.cpu.vector.Lanes;
import io.gradus.core.cpu.vector.Rows;
import io.gradus.core.cpu.vector.VectorMath;
import io.gradus.core.kernel.SoftmaxKernels;
import java.lang.foreign.MemorySegment;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.VectorMask;

/**
 * Softmax over the last axis. Rows that fit in a block are processed in groups, all maxima first, then all exponentials, so that
 * rows do not wait for the reduction of the row before. {@link ShortRowSoftmax} handles very short rows without inner loops;
 * {@link RowExponentials} handles rows longer than a block.
 */
public final class Softmax implements SoftmaxKernels {
    private static final int COUNT = Lanes.COUNT;

    private final Workers workers;

    public Softmax(Workers workers) {
        this.workers = workers;
    }

    @Override
    public void softmax(Tensor x, Tensor y) {
        long n = x.shape().last();
        MemorySegment source = CpuStorage.of(x);
        MemorySegment target = CpuStorage.of(y);
        Rows.forEach(workers, x.shape().rows(), n, (from, to) -> {
            if (n > Rows.BLOCK) {
                longRows(source, target, n, from, to);
                return;
            }
            long group = Rows.inBlock(n);
            for (long row = from; row < to; row += group) {
                long end = Math.min(to, row + group);
                if (ShortRowSoftmax.areShort(n)) {
                    ShortRowSoftmax.softmax(source, target, n, row, end);
                } else {
                    group(source, target, n, row, end);
                }
            }
        });
    }

    private static void longRows(MemorySegment x, MemorySegment y, long n, long from, long to) {
        RowExponentials exponentials = new RowExponentials(n);
        for (long row = from; row < to; row++) {
            exponentials.keep(x, y, row * n, (row + 1) * n);
            exponentials.finish(1, y, row * n, (row + 1) * n);
        }
    }

    private static void group(MemorySegment x, MemorySegment y, long n, long from, long to) {
        float[] factors = Scratch.ofThread().floats(0, (int) (to - from));
        for (long row = from; row < to; row++) {
            factors[(int) (row - from)] = Rows.max(x, row * n, (row + 1) * n);
        }
        for (long row = from; row < to; row++) {
            int i = (int) (row - from);
            factors[i] = 1 / Rows.exp(x, factors[i], y, row * n, (row + 1) * n);
        }
        for (long row = from; row < to; row++) {
            Rows.scale(y, factors[(int) (row - from)], row * n, (row + 1) * n);
        }
    }

    @Override
    public void softmaxBackward(Tensor y, Tensor dy, Tensor dx, boolean accumulate) {
        long n = y.shape().last();
        MemorySegment results = CpuStorage.of(y);
        MemorySegment outer = CpuStorage.of(dy);
        MemorySegment target = CpuStorage.of(dx);
        Rows.forEach(workers, y.shape().rows(), n, (from, to) -> {
            if (ShortRowSoftmax.areShort(n)) {
                ShortRowSoftmax.softmaxBackward(results, outer, target, accumulate, n, from, to);
            } else if (accumulate) {
                addGradients(results, outer, target, n, from, to);
            } else {
                gradients(results, outer, target, n, from, to);
            }
        });
    }

    private static void addGradients(MemorySegment y, MemorySegment dy, MemorySegment dx, long n, long from, long to) {
        for (long row = from; row < to; row++) {
            float dot = (float) Rows.dot(y, dy, row * n, (row + 1) * n);
            addGradient(y, dy, dot, dx, row * n, (row + 1) * n);
        }
    }

    /** Sums the next row while writing the gradient of one, so that reads and writes overlap. */
    private static void gradients(MemorySegment y, MemorySegment dy, MemorySegment dx, long n, long from, long to) {
        double next = Rows.dot(y, dy, from * n, (from + 1) * n);
        for (long row = from; row < to - 1; row++) {
            float dot = (float) next;
            next = 0;
            long rowEnd = (row + 1) * n;
            for (long at = row * n; at < rowEnd; at += Rows.BLOCK) {
                next += gradientAndNextDot(y, dy, dot, dx, n, at, Rows.blockEnd(at, rowEnd));
            }
        }
        gradient(y, dy, (float) next, dx, (to - 1) * n, to * n);
    }

    /** Sums in the order of {@link Rows#dot}. */
    private static float gradientAndNextDot(
            MemorySegment y, MemorySegment dy, float dot, MemorySegment dx, long n, long from, long to) {
        FloatVector sum0 = Lanes.zero();
        FloatVector sum1 = Lanes.zero();
        FloatVector sum2 = Lanes.zero();
        FloatVector sum3 = Lanes.zero();
        long i = from;
        for (; i <= to - 4 * COUNT; i += 4 * COUNT) {
            long next = i + n;
            sum0 = Lanes.load(y, next).fma(Lanes.load(dy, next), sum0);
            sum1 = Lanes.load(y, next + COUNT).fma(Lanes.load(dy, next + COUNT), sum1);
            sum2 = Lanes.load(y, next + 2 * COUNT).fma(Lanes.load(dy, next + 2 * COUNT), sum2);
            sum3 = Lanes.load(y, next + 3 * COUNT).fma(Lanes.load(dy, next + 3 * COUNT), sum3);
            gradient(y, dy, dot, dx, i);
            gradient(y, dy, dot, dx, i + COUNT);
            gradient(y, dy, dot, dx, i + 2 * COUNT);
            gradient(y, dy, dot, dx, i + 3 * COUNT);
        }
        if (i < to) {
            gradient(y, dy, dot, dx, i, to);
        }
        return Lanes.sum(sum0.add(sum1).add(sum2.add(sum3))) + Rows.dotOfRest(y, dy, i + n, to + n);
    }

    private static void gradient(MemorySegment y, MemorySegment dy, float dot, MemorySegment dx, long at) {
        Lanes.store(Lanes.load(y, at).mul(Lanes.load(dy, at).sub(dot)), dx, at);
    }

    private static void gradient(MemorySegment y, MemorySegment dy, float dot, MemorySegment dx, long from, long to) {
        long i = from;
        for (; i <= to - COUNT; i += COUNT) {
            gradient(y, dy, dot, dx, i);
        }
        if (i < to) {
            VectorMask<Float> rest = Lanes.first(to - i);
            Lanes.store(Lanes.load(y, i, rest).mul(Lanes.load(dy, i, rest).sub(dot)), dx, i, rest);
        }
    }

    private static void addGradient(
            MemorySegment y, MemorySegment dy, float dot, MemorySegment dx, long from, long to) {
        long i = from;
        for (; i <= to - COUNT; i += COUNT) {
            FloatVector shifted = Lanes.load(dy, i).sub(dot);
            Lanes.store(Lanes.load(y, i).fma(shifted, Lanes.load(dx, i)), dx, i);
        }
        if (i < to) {
            VectorMask<Float> rest = Lanes.first(to - i);
            FloatVector shifted = Lanes.load(dy, i, rest).sub(dot);
            Lanes.store(Lanes.load(y, i, rest).fma(shifted, Lanes.load(dx, i, rest)), dx, i, rest);
        }
    }

    @Override
    public void logSoftmax(Tensor x, Tensor y) {
        long n = x.shape().last();
        MemorySegment source = CpuStorage.of(x);
        MemorySegment target = CpuStorage.of(y);
        Rows.forEach(workers, x.shape().rows(), n, (from, to) -> {
            RowExponentials exponentials = new RowExponentials(n);
            for (long row = from; row < to; row++) {
                exponentials.sum(source, row * n, (row + 1) * n);
                float logSum = (float) exponentials.logSum();
                subtract(source, exponentials.max(), logSum, target, row * n, (row + 1) * n);
            }
        });
    }

    // Two subtractions, because the first is exact near the largest element, where it matters.
    private static void subtract(MemorySegment x, float max, float logSum, MemorySegment y, long from, long to) {
        long i = from;
        for (; i <= to - COUNT; i += COUNT) {
            Lanes.store(Lanes.load(x, i).sub(max).sub(logSum), y, i);
        }
        if (i < to) {
            VectorMask<Float> rest = Lanes.first(to - i);
            Lanes.store(Lanes.load(x, i, rest).sub(max).sub(logSum), y, i, rest);
        }
    }

    @Override
    public void logSoftmaxBackward(Tensor y, Tensor dy, Tensor dx, boolean accumulate) {
        long n = y.shape().last();
        MemorySegment results = CpuStorage.of(y);
        MemorySegment outer = CpuStorage.of(dy);
        MemorySegment target = CpuStorage.of(dx);
        Rows.forEach(workers, y.shape().rows(), n, (from, to) -> {
            for (long row = from; row < to; row++) {
                float sum = (float) Rows.sum(outer, row * n, (row + 1) * n);
                logGradient(results, outer, sum, target, accumulate, row * n, (row + 1) * n);
            }
        });
    }

    private static void logGradient(
            MemorySegment y, MemorySegment dy, float sum, MemorySegment dx, boolean accumulate, long from, long to) {
        FloatVector factor = Lanes.broadcast(-sum);
        long i = from;
        for (; i <= to - COUNT; i += COUNT) {
            FloatVector softmax = VectorMath.expOfNonPositive(Lanes.load(y, i));
            FloatVector gradient = softmax.fma(factor, Lanes.load(dy, i));
            Lanes.store(accumulate ? gradient.add(Lanes.load(dx, i)) : gradient, dx, i);
        }
        if (i < to) {
            VectorMask<Float> rest = Lanes.first(to - i);
            FloatVector softmax = VectorMath.expOfNonPositive(Lanes.load(y, i, rest));
            FloatVector gradient = softmax.fma(factor, Lanes.load(dy, i, rest));
            Lanes.store(accumulate ? gradient.add(Lanes.load(dx, i, rest)) : gradient, dx, i, rest);
        }
    }
}
