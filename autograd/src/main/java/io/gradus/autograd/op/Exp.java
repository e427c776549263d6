package io.gradus.autograd.op;

import io.gradus.autograd.Gradients;
import io.gradus.autograd.Operation;
import io.gradus.core.Tensor;
import io.gradus.core.kernel.ElementwiseKernels.Unary;

/**
 * {@code y = eˣ}.
 *
 * <p>The exponential function is its own derivative: {@code e^{x+h} = eˣ·eʰ} and {@code (eʰ − 1)/h → 1}, so
 * {@code dy/dx = eˣ = y}. Only the result is kept.
 */
public final class Exp extends Operation {
    private Tensor y; // of the shape of x

    @Override
    protected Tensor forward(Tensor... inputs) {
        Tensor x = inputs[0];
        y = x.emptyLike(x.shape());
        x.kernels().elementwise().unary(Unary.EXP, x, y);
        return y;
    }

    @Override
    protected void backward(Tensor dy, Gradients gradients) {
        // This kernel reads only y, so y is passed for x, which was not kept.
        gradients.write(0, (dx, add) -> dy.kernels().elementwise().unaryBackward(Unary.EXP, y, y, dy, dx, add));
    }
}
