package io.gradus.autograd.op;

import io.gradus.autograd.Gradients;
import io.gradus.autograd.Operation;
import io.gradus.core.GradientBuffer;
import io.gradus.core.Shape;
import io.gradus.core.Tensor;

/**
 * {@code y = x̂ ⊙ w + b} with {@code x̂ = (x − μ)·r}, over the last axis of length D (Ba, Kiros &amp; Hinton 2016): μ
 * is the row's mean, {@code r = 1/√(σ² + ε)} with σ² its variance. The bias is optional.
 *
 * <p>Every row depends on the weights: {@code dw = Σ dy ⊙ x̂} and {@code db = Σ dy}. For x, let {@code g = dy ⊙ w}, the
 * gradient of x̂. An element affects its own x̂ and, through μ and r, all others in its row. From {@code ∂μ/∂xₖ = 1/D}
 * and {@code ∂σ²/∂xₖ = 2(xₖ − μ)/D} follows {@code ∂r/∂xₖ = −r³(xₖ − μ)/D = −r²x̂ₖ/D}, hence
 *
 * <pre>
 *   ∂x̂ᵢ/∂xₖ = r(δᵢₖ − 1/D) − (xᵢ − μ)·r²x̂ₖ/D = r(δᵢₖ − 1/D − x̂ᵢx̂ₖ/D)
 *   dxₖ = Σᵢ gᵢ ∂x̂ᵢ/∂xₖ = r(gₖ − mean(g) − x̂ₖ·mean(g ⊙ x̂))
 * </pre>
 *
 * The gradient has no component along a constant or along x̂: shifting or scaling a row does not change y.
 */
public final class LayerNorm extends Operation {
    private final double eps;
    private boolean biased;
    private Tensor x; // […, D], N rows
    private Tensor weight; // [D]
    private Tensor mean; // [N], μ of each row
    private Tensor rstd; // [N], r of each row

    /** Creates the operation. */
    public LayerNorm(double eps) {
        this.eps = eps;
    }

    /** Takes x {@code […, D]}, the weight {@code [D]} and, if there is one, the bias {@code [D]}. */
    @Override
    protected Tensor forward(Tensor... inputs) {
        x = inputs[0];
        weight = inputs[1];
        biased = inputs.length > 2;
        Shape rows = Shape.of(x.shape().rows());
        mean = Results.exact(x, rows);
        rstd = Results.exact(x, rows);
        Tensor y = x.emptyLike(x.shape());
        x.kernels().normalization().layerNorm(x, weight, biased ? inputs[2] : null, eps, y, mean, rstd);
        return y;
    }

    @Override
    protected void backward(Tensor dy, Gradients gradients) {
        GradientBuffer dx = gradients.buffer(0);
        GradientBuffer dw = gradients.buffer(1);
        GradientBuffer db = biased ? gradients.buffer(2) : null;
        dy.kernels().normalization().layerNormBackward(dy, x, weight, mean, rstd, dx, dw, db);
    }

    @Override
    protected void release() {
        mean.release();
        rstd.release();
    }
}
