package io.gradus.core.cpu.vector.softmax;

import io.gradus.core.cpu.vector.Lanes;
import io.gradus.core.cpu.vector.Rows;
import io.gradus.core.cpu.vector.VectorMath;
import java.lang.foreign.MemorySegment;
import jdk.incubator.vector.FloatVector;
import org.jspecify.annotations.Nullable;

/**
 * {@code Σ exp(x − max)} of rows, each read once (Milakov &amp; Gimelshein 2018, "Online normalizer calculation for softmax"). The
 * exponentials of a block are relative to the maximum so far, and the sum is rescaled if a larger element follows. If the
 * exponentials are kept, each block stores its maximum, and all are rescaled at the end.
 */
final class RowExponentials {
    /** The maximum of the row; −∞ if it is empty. */
    private float max;

    private double sum;
    /** The maximum of the next block. */
    private float nextMax;
    /** For each block, the maximum up to its end. */
    private final float[] maxima;

    /**
     * @param length the length of the rows
     */
    RowExponentials(long length) {
        maxima = new float[Math.toIntExact((length + Rows.BLOCK - 1) / Rows.BLOCK)];
    }

    /** Computes the sum of a row without keeping the exponentials. */
    void sum(MemorySegment x, long from, long to) {
        visit(x, null, from, to);
    }

    /** Computes the sum of a row and writes its exponentials to {@code y}, for {@link #finish}. {@code y} may be {@code x}. */
    void keep(MemorySegment x, MemorySegment y, long from, long to) {
        visit(x, y, from, to);
    }

    // The maximum of a block is computed while the block before is processed, so that reads and writes overlap.
    private void visit(MemorySegment x, @Nullable MemorySegment y, long from, long to) {
        max = Float.NEGATIVE_INFINITY;
        sum = 0;
        nextMax = Rows.max(x, from, Rows.blockEnd(from, to));
        int block = 0;
        for (long at = from; at < to; at += Rows.BLOCK) {
            long end = Rows.blockEnd(at, to);
            raise(nextMax);
            maxima[block++] = max;
            if (to - end >= Rows.BLOCK) {
                sum += y == null ? sumBlockAndNextMax(x, shift(), at) : expBlockAndNextMax(x, shift(), y, at);
            } else {
                nextMax = Rows.max(x, end, to);
                sum += y == null ? Rows.sumExp(x, shift(), at, end) : Rows.exp(x, shift(), y, at, end);
            }
        }
    }

    /** {@link Rows#exp} of a whole block, while computing the {@link #nextMax} of the next. */
    private float expBlockAndNextMax(MemorySegment x, float shift, MemorySegment y, long from) {
        FloatVector greatest = Lanes.broadcast(Float.NEGATIVE_INFINITY);
        FloatVector total = Lanes.zero();
        for (long i = from; i < from + Rows.BLOCK; i += Lanes.COUNT) {
            greatest = Lanes.greater(greatest, Lanes.load(x, i + Rows.BLOCK));
            FloatVector exp = VectorMath.expOfNonPositive(Lanes.load(x, i).sub(shift));
            Lanes.store(exp, y, i);
            total = total.add(exp);
        }
        nextMax = Lanes.max(greatest);
        return Lanes.sum(total);
    }

    /** {@link Rows#sumExp} likewise. */
    private float sumBlockAndNextMax(MemorySegment x, float shift, long from) {
        FloatVector greatest = Lanes.broadcast(Float.NEGATIVE_INFINITY);
        FloatVector total = Lanes.zero();
        for (long i = from; i < from + Rows.BLOCK; i += Lanes.COUNT) {
            greatest = Lanes.greater(greatest, Lanes.load(x, i + Rows.BLOCK));
            total = total.add(VectorMath.expOfNonPositive(Lanes.load(x, i).sub(shift)));
        }
        nextMax = Lanes.max(greatest);
        return Lanes.sum(total);
    }

    /** Converts the exponentials to {@code factor·softmax}. */
    void finish(double factor, MemorySegment y, long from, long to) {
        int block = 0;
        for (long at = from; at < to; at += Rows.BLOCK) {
            float relativeTo = maxima[block++];
            double correction = relativeTo == max ? factor : factor * Math.exp((double) relativeTo - max);
            Rows.scale(y, (float) (correction / sum), at, Rows.blockEnd(at, to));
        }
    }

    float max() {
        return max;
    }

    /** {@code ln Σ exp(x − max)}. */
    double logSum() {
        return Math.log(sum);
    }

    private void raise(float blockMax) {
        if (blockMax > max) {
            sum *= Math.exp((double) max - blockMax);
            max = blockMax;
        }
    }

    // Only −∞ so far: use 0 as the maximum, so that these add 0.
    private float shift() {
        return max == Float.NEGATIVE_INFINITY ? 0 : max;
    }
}
