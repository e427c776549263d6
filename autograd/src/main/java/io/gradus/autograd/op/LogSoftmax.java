package io.gradus.autograd.op;

import io.gradus.autograd.Gradients;
import io.gradus.autograd.Operation;
import io.gradus.core.Tensor;

/**
 * {@code yᵢ = ln softmax(x)ᵢ = xᵢ − ln Σⱼ e^{xⱼ}} over the last axis, without the loss of precision of a logarithm
 * taken after the softmax.
 *
 * <p>The derivative of {@code ln Σⱼ e^{xⱼ}} in {@code xₖ} is {@code e^{xₖ}/Σⱼ e^{xⱼ} = e^{yₖ}}, so
 * {@code ∂yᵢ/∂xₖ = δᵢₖ − e^{yₖ}}:
 *
 * <pre>
 *   dxₖ = dyₖ − e^{yₖ}·Σᵢ dyᵢ
 * </pre>
 */
public final class LogSoftmax extends Operation {
    private Tensor y; // […, D]

    @Override
    protected Tensor forward(Tensor... inputs) {
        Tensor x = inputs[0];
        y = x.emptyLike(x.shape());
        x.kernels().softmax().logSoftmax(x, y);
        return y;
    }

    @Override
    protected void backward(Tensor dy, Gradients gradients) {
        gradients.write(0, (dx, add) -> dy.kernels().softmax().logSoftmaxBackward(y, dy, dx, add));
    }
}
