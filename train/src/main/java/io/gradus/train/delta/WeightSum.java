package io.gradus.train.delta;

import io.gradus.core.DType;
import io.gradus.core.HostCast;
import java.lang.foreign.MemorySegment;

/**
 * θ = θ₀ + Σ fᵢ·Δᵢ for a run of elements. Sums are taken in double and rounded once, to F32, and from there to the dtype of
 * the weights. Making a delta and applying one both go through here, so that what was checked is what happens.
 */
final class WeightSum {
    /** Elements per run: small beside any weight, large beside the cost of a call. */
    static final int RUN = 1 << 16;

    private final float[] base = new float[RUN];
    private final float[] values = new float[RUN];
    private final double[] sums = new double[RUN];
    private int n;

    /** Begins with θ₀: {@code n} elements at the start of {@code source}. */
    void begin(MemorySegment source, DType dtype, int n) {
        this.n = n;
        read(source, dtype, base, n);
        for (int i = 0; i < n; i++) {
            sums[i] = base[i];
        }
    }

    /** The numbers that the run began with. */
    float[] base() {
        return base;
    }

    /** Adds {@code factor} times the elements at the start of {@code source}. */
    void add(MemorySegment source, DType dtype, double factor) {
        read(source, dtype, values, n);
        for (int i = 0; i < n; i++) {
            sums[i] += factor * values[i];
        }
    }

    /**
     * Rounds what has been summed into {@code target}. An element that nothing was added to keeps its bits: a negative zero
     * stays one, although −0 + 0 is 0.
     *
     * @return how many finite sums became infinite
     */
    long round(MemorySegment target, DType dtype) {
        for (int i = 0; i < n; i++) {
            values[i] = Float.isNaN(base[i]) || sums[i] == base[i] ? base[i] : (float) sums[i];
        }
        HostCast.convert(MemorySegment.ofArray(values), DType.F32, target, dtype, n);
        read(target, dtype, values, n);
        long overflown = 0;
        for (int i = 0; i < n; i++) {
            if (Float.isInfinite(values[i]) && Float.isFinite(base[i])) {
                overflown++;
            }
        }
        return overflown;
    }

    /** Elements as numbers; F32 holds those of every dtype that a delta may have. */
    static void read(MemorySegment source, DType dtype, float[] target, int n) {
        HostCast.convert(source, dtype, MemorySegment.ofArray(target), DType.F32, n);
    }
}
