package io.gradus.autograd.op;

import io.gradus.autograd.Gradients;
import io.gradus.autograd.Operation;
import io.gradus.core.GradientBuffer;
import io.gradus.core.Shape;
import io.gradus.core.Tensor;

/**
 * {@code y = x̂ ⊙ w} with {@code x̂ = x·r} and {@code r = 1/√(mean(x²) + ε)}, over the last axis of length D (Zhang
 * &amp; Sennrich 2019, eq. 4).
 *
 * <p>{@code dw = Σ dy ⊙ x̂} over the rows. For x, let {@code g = dy ⊙ w}, the gradient of x̂. From
 * {@code ∂mean(x²)/∂xₖ = 2xₖ/D} follows {@code ∂r/∂xₖ = −r³xₖ/D = −r²x̂ₖ/D}, hence
 *
 * <pre>
 *   ∂x̂ᵢ/∂xₖ = r·δᵢₖ − xᵢ·r²x̂ₖ/D = r(δᵢₖ − x̂ᵢx̂ₖ/D)
 *   dxₖ = Σᵢ gᵢ ∂x̂ᵢ/∂xₖ = r(gₖ − x̂ₖ·mean(g ⊙ x̂))
 * </pre>
 *
 * which is the gradient of {@link LayerNorm} without the mean: scaling a row does not change y, but shifting it does.
 */
public final class RmsNorm extends Operation {
    private final double eps;
    private Tensor x; // […, D], N rows
    private Tensor weight; // [D]
    private Tensor rstd; // [N], r of each row

    /** Creates the operation. */
    public RmsNorm(double eps) {
        this.eps = eps;
    }

    /** Takes x {@code […, D]} and the weight {@code [D]}. */
    @Override
    protected Tensor forward(Tensor... inputs) {
        x = inputs[0];
        weight = inputs[1];
        rstd = Results.exact(x, Shape.of(x.shape().rows()));
        Tensor y = x.emptyLike(x.shape());
        x.kernels().normalization().rmsNorm(x, weight, eps, y, rstd);
        return y;
    }

    @Override
    protected void backward(Tensor dy, Gradients gradients) {
        GradientBuffer dx = gradients.buffer(0);
        GradientBuffer dw = gradients.buffer(1);
        dy.kernels().normalization().rmsNormBackward(dy, x, weight, rstd, dx, dw);
    }

    @Override
    protected void release() {
        rstd.release();
    }
}
