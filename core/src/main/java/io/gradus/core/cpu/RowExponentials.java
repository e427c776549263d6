package io.gradus.core.cpu;

import java.lang.foreign.MemorySegment;

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
        begin();
        for (long at = from; at < to; at += Rows.BLOCK) {
            long end = Rows.blockEnd(at, to);
            raise(Rows.max(x, at, end));
            sum += Rows.sumExp(x, shift(), at, end);
        }
    }

    /** Visits a row and leaves its exponentials in {@code y}, for {@link #finish}. {@code y} may be {@code x}. */
    void keep(MemorySegment x, MemorySegment y, long from, long to) {
        begin();
        int block = 0;
        for (long at = from; at < to; at += Rows.BLOCK) {
            long end = Rows.blockEnd(at, to);
            raise(Rows.max(x, at, end));
            maxima[block++] = max;
            sum += Rows.exp(x, shift(), y, at, end);
        }
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

    private void begin() {
        max = Float.NEGATIVE_INFINITY;
        sum = 0;
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
