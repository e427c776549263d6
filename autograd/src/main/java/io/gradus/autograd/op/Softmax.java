package io.gradus.autograd.op;

import io.gradus.autograd.Gradients;
import io.gradus.autograd.Operation;
import io.gradus.core.Tensor;

/**
 * {@code yᵢ = e^{xᵢ} / Σⱼ e^{xⱼ}} over the last axis: numbers become probabilities.
 *
 * <p>With {@code Z = Σⱼ e^{xⱼ}}, the quotient rule gives {@code ∂yᵢ/∂xₖ = (δᵢₖ e^{xᵢ} Z − e^{xᵢ} e^{xₖ}) / Z² = yᵢ(δᵢₖ − yₖ)}.
 * Summed against the gradient of the result,
 *
 * <pre>
 *   dxₖ = Σᵢ dyᵢ yᵢ (δᵢₖ − yₖ) = yₖ (dyₖ − Σᵢ dyᵢ yᵢ)
 * </pre>
 *
 * so each row needs one dot product, and only y has to be kept. The gradient of a row sums to zero: raising every x by the
 * same amount changes nothing.
 */
public final class Softmax extends Operation {
    private Tensor y;

    @Override
    protected Tensor forward(Tensor... inputs) {
        Tensor x = inputs[0];
        y = x.emptyLike(x.shape());
        x.kernels().softmax().softmax(x, y);
        return y;
    }

    @Override
    protected void backward(Tensor dy, Gradients gradients) {
        gradients.write(0, (dx, add) -> dy.kernels().softmax().softmaxBackward(y, dy, dx, add));
    }
}
