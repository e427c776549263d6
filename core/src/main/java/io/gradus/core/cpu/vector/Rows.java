package io.gradus.core.cpu.vector;

import io.gradus.core.cpu.common.CpuStorage;
import io.gradus.core.cpu.common.Workers;
import java.lang.foreign.MemorySegment;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.VectorMask;

/**
 * Loops of row-wise kernels, each over the elements of memory from {@code from} (inclusive) to {@code to} (exclusive). A loop runs
 * over at most {@link #BLOCK} elements, so that further loops find them in the first-level cache, and F32 sums have few terms
 * per lane; longer rows are summed by blocks, in double. Results do not depend on the number of threads.
 */
public final class Rows {
    /** Elements in a block. Two blocks take 32 KB. */
    public static final int BLOCK = 4096;
    /** Elements in a chunk, unless a row is longer: about ten microseconds of work. */
    private static final long CHUNK = 16_384;

    private static final int COUNT = Lanes.COUNT;

    private Rows() {}

    /** Runs {@code body} over rows of a given length, in chunks of a few microseconds. */
    public static void forEach(Workers workers, long rows, long length, Workers.Body body) {
        workers.forEach(rows, Math.max(1, CHUNK / Math.max(1, length)), body);
    }

    /** The number of rows of a given length in a block; 1 if they are longer. */
    public static long inBlock(long length) {
        return Math.max(1, BLOCK / Math.max(1, length));
    }

    /** The end of the block that begins at an element. */
    public static long blockEnd(long from, long to) {
        return Math.min(to, from + BLOCK);
    }

    /** The maximum, ignoring NaN; −∞ for no elements. */
    public static float max(MemorySegment x, long from, long to) {
        FloatVector max0 = Lanes.broadcast(Float.NEGATIVE_INFINITY);
        FloatVector max1 = max0;
        FloatVector max2 = max0;
        FloatVector max3 = max0;
        long i = from;
        for (; i <= to - 4 * COUNT; i += 4 * COUNT) {
            max0 = Lanes.greater(max0, Lanes.load(x, i));
            max1 = Lanes.greater(max1, Lanes.load(x, i + COUNT));
            max2 = Lanes.greater(max2, Lanes.load(x, i + 2 * COUNT));
            max3 = Lanes.greater(max3, Lanes.load(x, i + 3 * COUNT));
        }
        float max = Lanes.max(Lanes.greater(Lanes.greater(max0, max1), Lanes.greater(max2, max3)));
        return i < to ? maxOfRest(x, i, to, max) : max;
    }

    private static float maxOfRest(MemorySegment x, long from, long to, float start) {
        FloatVector vector = Lanes.broadcast(start);
        long i = from;
        for (; i <= to - COUNT; i += COUNT) {
            vector = Lanes.greater(vector, Lanes.load(x, i));
        }
        float max = Lanes.max(vector);
        for (; i < to; i++) {
            float element = CpuStorage.get(x, i);
            max = element > max ? element : max;
        }
        return max;
    }

    /** {@code y = exp(x − shift)}, with results of at most 1, and returns their sum. */
    public static float exp(MemorySegment x, float shift, MemorySegment y, long from, long to) {
        FloatVector sum = Lanes.zero();
        long i = from;
        for (; i <= to - COUNT; i += COUNT) {
            FloatVector exp = VectorMath.expOfNonPositive(Lanes.load(x, i).sub(shift));
            Lanes.store(exp, y, i);
            sum = sum.add(exp);
        }
        return Lanes.sum(sum) + (i < to ? expOfRest(x, shift, y, i, to) : 0);
    }

    // Separate, like all ends of loops with an exponential, because C2 stops inlining if a method grows too large.
    private static float expOfRest(MemorySegment x, float shift, MemorySegment y, long from, long to) {
        VectorMask<Float> rest = Lanes.first(to - from);
        FloatVector exp = VectorMath.expOfNonPositive(Lanes.load(x, from, rest).sub(shift));
        Lanes.store(exp, y, from, rest);
        return Lanes.sum(Lanes.zero().blend(exp, rest));
    }

    /** {@code Σ exp(x − shift)}, with terms of at most 1. */
    public static float sumExp(MemorySegment x, float shift, long from, long to) {
        FloatVector sum = Lanes.zero();
        long i = from;
        for (; i <= to - COUNT; i += COUNT) {
            sum = sum.add(VectorMath.expOfNonPositive(Lanes.load(x, i).sub(shift)));
        }
        return Lanes.sum(sum) + (i < to ? sumExpOfRest(x, shift, i, to) : 0);
    }

    private static float sumExpOfRest(MemorySegment x, float shift, long from, long to) {
        VectorMask<Float> rest = Lanes.first(to - from);
        FloatVector exp = VectorMath.expOfNonPositive(Lanes.load(x, from, rest).sub(shift));
        return Lanes.sum(Lanes.zero().blend(exp, rest));
    }

    /** {@code x·factor}, in place. */
    public static void scale(MemorySegment x, float factor, long from, long to) {
        long i = from;
        for (; i <= to - COUNT; i += COUNT) {
            Lanes.store(Lanes.load(x, i).mul(factor), x, i);
        }
        if (i < to) {
            VectorMask<Float> rest = Lanes.first(to - i);
            Lanes.store(Lanes.load(x, i, rest).mul(factor), x, i, rest);
        }
    }

    /** The sum of any number of elements. */
    public static double sum(MemorySegment x, long from, long to) {
        double sum = 0;
        for (long at = from; at < to; at += BLOCK) {
            sum += sumOfBlock(x, at, blockEnd(at, to));
        }
        return sum;
    }

    private static float sumOfBlock(MemorySegment x, long from, long to) {
        FloatVector sum0 = Lanes.zero();
        FloatVector sum1 = Lanes.zero();
        FloatVector sum2 = Lanes.zero();
        FloatVector sum3 = Lanes.zero();
        long i = from;
        for (; i <= to - 4 * COUNT; i += 4 * COUNT) {
            sum0 = sum0.add(Lanes.load(x, i));
            sum1 = sum1.add(Lanes.load(x, i + COUNT));
            sum2 = sum2.add(Lanes.load(x, i + 2 * COUNT));
            sum3 = sum3.add(Lanes.load(x, i + 3 * COUNT));
        }
        for (; i < to; i += COUNT) {
            sum0 = sum0.add(Lanes.load(x, i, Lanes.first(to - i)));
        }
        return Lanes.sum(sum0.add(sum1).add(sum2.add(sum3)));
    }

    /** {@code Σ x·y} of any number of elements. */
    public static double dot(MemorySegment x, MemorySegment y, long from, long to) {
        double sum = 0;
        for (long at = from; at < to; at += BLOCK) {
            sum += dotOfBlock(x, y, at, blockEnd(at, to));
        }
        return sum;
    }

    private static float dotOfBlock(MemorySegment x, MemorySegment y, long from, long to) {
        FloatVector sum0 = Lanes.zero();
        FloatVector sum1 = Lanes.zero();
        FloatVector sum2 = Lanes.zero();
        FloatVector sum3 = Lanes.zero();
        long i = from;
        for (; i <= to - 4 * COUNT; i += 4 * COUNT) {
            sum0 = Lanes.load(x, i).fma(Lanes.load(y, i), sum0);
            sum1 = Lanes.load(x, i + COUNT).fma(Lanes.load(y, i + COUNT), sum1);
            sum2 = Lanes.load(x, i + 2 * COUNT).fma(Lanes.load(y, i + 2 * COUNT), sum2);
            sum3 = Lanes.load(x, i + 3 * COUNT).fma(Lanes.load(y, i + 3 * COUNT), sum3);
        }
        return Lanes.sum(sum0.add(sum1).add(sum2.add(sum3))) + dotOfRest(x, y, i, to);
    }

    /** {@code Σ x·y} of fewer than four vectors. */
    public static float dotOfRest(MemorySegment x, MemorySegment y, long from, long to) {
        if (from == to) {
            return 0;
        }
        FloatVector sum = Lanes.zero();
        for (long i = from; i < to; i += COUNT) {
            VectorMask<Float> rest = Lanes.first(to - i);
            sum = Lanes.load(x, i, rest).fma(Lanes.load(y, i, rest), sum);
        }
        return Lanes.sum(sum);
    }

    /** {@code Σ (x − center)²} of any number of elements. */
    public static double sumOfSquares(MemorySegment x, float center, long from, long to) {
        double sum = 0;
        for (long at = from; at < to; at += BLOCK) {
            sum += sumOfSquaresOfBlock(x, center, at, blockEnd(at, to));
        }
        return sum;
    }

    private static float sumOfSquaresOfBlock(MemorySegment x, float center, long from, long to) {
        FloatVector sum0 = Lanes.zero();
        FloatVector sum1 = Lanes.zero();
        FloatVector sum2 = Lanes.zero();
        FloatVector sum3 = Lanes.zero();
        long i = from;
        for (; i <= to - 4 * COUNT; i += 4 * COUNT) {
            FloatVector x0 = Lanes.load(x, i).sub(center);
            FloatVector x1 = Lanes.load(x, i + COUNT).sub(center);
            FloatVector x2 = Lanes.load(x, i + 2 * COUNT).sub(center);
            FloatVector x3 = Lanes.load(x, i + 3 * COUNT).sub(center);
            sum0 = x0.fma(x0, sum0);
            sum1 = x1.fma(x1, sum1);
            sum2 = x2.fma(x2, sum2);
            sum3 = x3.fma(x3, sum3);
        }
        for (; i < to; i += COUNT) {
            VectorMask<Float> rest = Lanes.first(to - i);
            FloatVector centered = Lanes.zero().blend(Lanes.load(x, i, rest).sub(center), rest);
            sum0 = centered.fma(centered, sum0);
        }
        return Lanes.sum(sum0.add(sum1).add(sum2.add(sum3)));
    }
}
