package io.gradus.core.cpu.vector.softmax;

import io.gradus.core.cpu.vector.Lanes;
import io.gradus.core.cpu.vector.Rows;
import io.gradus.core.cpu.vector.VectorMath;
import java.lang.foreign.MemorySegment;
import jdk.incubator.vector.FloatVector;
import org.jspecify.annotations.Nullable;

/**
 * {@code Σ exp(x − max)} of one row after another, each read once (Milakov &amp; Gimelshein 2018, "Online normalizer calculation
 * for softmax"): block by block, a block's exponentials are taken relative to the greatest element so far, and the sum is
 * brought down when a greater one comes. Where the exponentials are kept, each block remembers what it is relative to, and the
 * last factor is applied to all.
 */
final class RowExponentials {
    /** The greatest element of the row; −∞ when there is none. */
    private float max;

    private double sum;
    /** Of the block to come, the greatest element. */
    private float nextMax;
    /** Of each block, the greatest element up to its end. */
    private final float[] maxima;

    /**
     * @param length of the rows
     */
    RowExponentials(long length) {
        maxima = new float[Math.toIntExact((length + Rows.BLOCK - 1) / Rows.BLOCK)];
    }

    /** Visits a row and keeps nothing but its sum. */
    void sum(MemorySegment x, long from, long to) {
        visit(x, null, from, to);
    }

    /** Visits a row and leaves its exponentials in {@code y}, for {@link #finish}. {@code y} may be {@code x}. */
    void keep(MemorySegment x, MemorySegment y, long from, long to) {
        visit(x, y, from, to);
    }

    // A block's maximum is found while the block before is worked on: memory is read and written at the same time.
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

    /** {@link Rows#exp} of a whole block, while the next whole one is searched for its {@link #nextMax}. */
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

    /** Makes {@code factor·softmax} of the exponentials that were kept. */
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

    // Nothing but −∞ so far: relative to 0, so that it adds nothing.
    private float shift() {
        return max == Float.NEGATIVE_INFINITY ? 0 : max;
    }
}
