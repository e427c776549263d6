package io.gradus.core.kernel;

import io.gradus.core.RopeLayout;
import io.gradus.core.Tensor;

/** Rotary position embedding (Su et al. 2021, RoFormer, eq. 34): rotates each pair of a head's elements by an angle. */
public interface RotaryKernels {

    /**
     * {@code out (+)=} x with pair i of the row at (b, t) rotated by the angle whose cosine is {@code cos[positions[b, t], i]}:
     * {@code (u, v) → (u·cos − v·sin, v·cos + u·sin)}.
     *
     * @param x {@code [B, T, H, D]}
     * @param cos {@code [P, D/2]}
     * @param sin {@code [P, D/2]}
     * @param positions I32 {@code [B, T]}, each in 0 … P−1
     * @param inverse whether to rotate by the negative angle: the transpose of the rotation, which is its gradient
     * @throws IllegalArgumentException if a position is outside the table
     */
    void rotate(
            Tensor x,
            Tensor cos,
            Tensor sin,
            Tensor positions,
            RopeLayout layout,
            boolean inverse,
            Tensor out,
            boolean accumulate);

    /** The error for a position outside the table. */
    static IllegalArgumentException badPosition(long position, long table) {
        return new IllegalArgumentException("rotary: position " + position + " is not in a table of " + table
                + "; shorten the sequence (max_position_embeddings)");
    }
}
