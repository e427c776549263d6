package io.gradus.autograd.op;

import io.gradus.autograd.Gradients;
import io.gradus.autograd.Operation;
import io.gradus.core.Tensor;

/**
 * {@code yᵢ = e^{xᵢ} / Σⱼ e^{xⱼ}} over the last axis, which turns scores into probabilities.
 *
 * <p>With {@code Z = Σⱼ e^{xⱼ}}, the quotient rule gives
 * {@code ∂yᵢ/∂xₖ = (δᵢₖ e^{xᵢ} Z − e^{xᵢ} e^{xₖ}) / Z² = yᵢ(δᵢₖ − yₖ)}. Multiplied with the gradient of the result and
 * summed,
 *
 * <pre>
 *   dxₖ = Σᵢ dyᵢ yᵢ (δᵢₖ − yₖ) = yₖ (dyₖ − Σᵢ dyᵢ yᵢ)
 * </pre>
 *
 * so each row needs one dot product, and only y is kept. The gradient of a row sums to zero: adding the same number to
 * every x does not change y.
 */
public final class Softmax extends Operation {
    private Tensor y; // […, D]

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
