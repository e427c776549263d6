package io.gradus.train.delta;

import io.gradus.core.HostCast;

/**
 * How far numbers moved: those of a tensor, a layer or a model. Elements of which either side is infinite or not a number
 * count as numbers and as changed, but not in the norms and not in {@code largest}.
 *
 * @param numbers how many there are
 * @param changed how many have other bits than before, ignoring a change of dtype that keeps the value
 * @param changedBf16 how many still differ when both sides are rounded to BF16: the rest of the change is finer than what a
 *     model served in BF16 can show
 * @param squares Σ (θ − θ₀)²
 * @param baseSquares Σ θ₀²
 * @param largest max |θ − θ₀|
 */
public record Change(long numbers, long changed, long changedBf16, double squares, double baseSquares, double largest) {

    /** Of nothing. */
    public static final Change NONE = new Change(0, 0, 0, 0, 0, 0);

    /** ‖Δ‖, the Euclidean (Frobenius) norm of what was added. */
    public double norm() {
        return Math.sqrt(squares);
    }

    /** ‖Δ‖ / ‖θ₀‖; 0 when nothing moved, infinite when what moved was all zeros. */
    public double relativeNorm() {
        return squares == 0 ? 0 : Math.sqrt(squares / baseSquares);
    }

    /** The share of the numbers that differ once both sides are rounded to BF16, from 0 to 1. */
    public double changedBf16Share() {
        return numbers == 0 ? 0 : (double) changedBf16 / numbers;
    }

    /** Both together. */
    public Change plus(Change other) {
        return new Change(
                numbers + other.numbers,
                changed + other.changed,
                changedBf16 + other.changedBf16,
                squares + other.squares,
                baseSquares + other.baseSquares,
                Math.max(largest, other.largest));
    }

    /** Of {@code n} numbers before and after; sums are taken in double. */
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
            double size = Math.abs(moved);
            if (size <= Double.MAX_VALUE) { // neither side is infinite or NaN: two floats are never that far apart
                squares += moved * moved;
                baseSquares += (double) before * before;
                if (size > largest) {
                    largest = size;
                }
            }
        }
        return new Change(n, changed, changedBf16, squares, baseSquares, largest);
    }
}
