package io.gradus.autograd.op;

import io.gradus.autograd.Gradients;
import io.gradus.autograd.Operation;
import io.gradus.core.RopeLayout;
import io.gradus.core.Tensor;

/**
 * Rotates each pair (u, v) of a head's elements by an angle proportional to the token's position (Su et al. 2021, eq.
 * 34):
 *
 * <pre>
 *   u′ = u·cos θ − v·sin θ
 *   v′ = v·cos θ + u·sin θ
 * </pre>
 *
 * <p>The map is linear, so its gradient is its transpose, and the transpose of a rotation is the rotation back:
 * {@code du = du′·cos θ + dv′·sin θ} and {@code dv = dv′·cos θ − du′·sin θ}. x is not kept.
 */
public final class RotaryEmbedding extends Operation {
    private final Tensor cos; // [P, D/2]
    private final Tensor sin; // [P, D/2]
    private final Tensor positions; // I32 [B, T]
    private final RopeLayout layout;

    /**
     * Creates the operation.
     *
     * @param cos {@code [P, D/2]}, the cosine of the angle for each position and pair
     * @param sin {@code [P, D/2]}
     * @param positions I32 {@code [B, T]}, each in 0 … P−1
     * @param layout which two elements form a pair
     */
    public RotaryEmbedding(Tensor cos, Tensor sin, Tensor positions, RopeLayout layout) {
        this.cos = cos;
        this.sin = sin;
        this.positions = positions;
        this.layout = layout;
    }

    /** Takes x {@code [B, T, H, D]}. */
    @Override
    protected Tensor forward(Tensor... inputs) {
        Tensor x = inputs[0];
        Tensor y = x.emptyLike(x.shape());
        x.kernels().rotary().rotate(x, cos, sin, positions, layout, false, y, false);
        return y;
    }

    @Override
    protected void backward(Tensor dy, Gradients gradients) {
        gradients.write(0, (dx, add) -> dy.kernels().rotary().rotate(dy, cos, sin, positions, layout, true, dx, add));
    }
}
