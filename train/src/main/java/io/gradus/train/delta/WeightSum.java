package io.gradus.train.delta;

import io.gradus.core.DType;
import io.gradus.core.HostCast;
import java.lang.foreign.MemorySegment;

/**
 * θ = θ₀ + Σ fᵢ·Δᵢ for a run of elements. Sums are computed in double, rounded once to F32, and then to the dtype of the
 * weights. Making and applying a delta share this code, so that applying restores exactly what was checked.
 */
final class WeightSum {
    /** Elements per run: few compared with a weight, many compared with the cost of a call. */
    static final int RUN = 1 << 16;

    private final float[] base = new float[RUN];
    private final float[] values = new float[RUN];
    private final double[] sums = new double[RUN];
    private int n;

    /** Starts with θ₀, the first {@code n} elements of {@code source}. */
    void begin(MemorySegment source, DType dtype, int n) {
        this.n = n;
        read(source, dtype, base, n);
        for (int i = 0; i < n; i++) {
            sums[i] = base[i];
        }
    }

    /** The elements of θ₀. */
    float[] base() {
        return base;
    }

    /** Adds {@code factor} times the first elements of {@code source}, and returns these, until the next call. */
    float[] add(MemorySegment source, DType dtype, double factor) {
        read(source, dtype, values, n);
        for (int i = 0; i < n; i++) {
            sums[i] += factor * values[i];
        }
        return values;
    }

    /**
     * Rounds the sums into {@code target}. An element to which only zero was added keeps its bits: a negative zero stays
     * negative, although −0 + 0 is 0.
     *
     * @return the number of sums that became infinite
     */
    long round(MemorySegment target, DType dtype) {
        for (int i = 0; i < n; i++) {
            values[i] = sums[i] == base[i] ? base[i] : (float) sums[i];
        }
        HostCast.convert(MemorySegment.ofArray(values), DType.F32, target, dtype, n);
        read(target, dtype, values, n);
        long overflown = 0;
        for (int i = 0; i < n; i++) {
            if (Float.isInfinite(values[i])) {
                overflown++;
            }
        }
        return overflown;
    }

    /** Converts elements to F32, which is exact for every dtype of a delta. */
    static void read(MemorySegment source, DType dtype, float[] target, int n) {
        HostCast.convert(source, dtype, MemorySegment.ofArray(target), DType.F32, n);
    }
}
