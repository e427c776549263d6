package io.gradus.train.delta;

import io.gradus.core.HostCast;

/**
 * The change of a tensor, a layer or a model.
 *
 * @param numbers the number of elements
 * @param changed the number of elements whose value changed
 * @param changedBf16 the number of elements that still differ when both sides are rounded to BF16; the other changes are too
 *     small to show in a model served in BF16
 * @param squares Σ (θ − θ₀)²
 * @param baseSquares Σ θ₀²
 * @param largest max |θ − θ₀|
 */
public record Change(long numbers, long changed, long changedBf16, double squares, double baseSquares, double largest) {

    /** No elements. */
    public static final Change NONE = new Change(0, 0, 0, 0, 0, 0);

    /** ‖Δ‖, the Euclidean (Frobenius) norm of the difference. */
    public double norm() {
        return Math.sqrt(squares);
    }

    /** ‖Δ‖ / ‖θ₀‖; 0 if nothing changed, infinite if θ₀ was all zeros. */
    public double relativeNorm() {
        return squares == 0 ? 0 : Math.sqrt(squares / baseSquares);
    }

    /** The share of elements that differ when both sides are rounded to BF16, from 0 to 1. */
    public double changedBf16Share() {
        return numbers == 0 ? 0 : (double) changedBf16 / numbers;
    }

    /** The sum of two changes. */
    public Change plus(Change other) {
        return new Change(
                numbers + other.numbers,
                changed + other.changed,
                changedBf16 + other.changedBf16,
                squares + other.squares,
                baseSquares + other.baseSquares,
                Math.max(largest, other.largest));
    }

    /** The change of {@code n} finite elements; sums are computed in double. */
    static Change between(float[] base, float[] tuned, int n) {
        long changed = 0;
        long changedBf16 = 0;
        double squares = 0;
        double baseSquares = 0;
        double largest = 0;
        for (int i = 0; i < n; i++) {
            float before = base[i];
            float after = tuned[i];
            if (Float.floatToRawIntBits(before) != Float.floatToRawIntBits(after)) {
                changed++;
                if (HostCast.toBFloat16(before) != HostCast.toBFloat16(after)) {
                    changedBf16++;
                }
            }
            double moved = (double) after - before;
            squares += moved * moved;
            baseSquares += (double) before * before;
            largest = Math.max(largest, Math.abs(moved));
        }
        return new Change(n, changed, changedBf16, squares, baseSquares, largest);
    }
}
