package io.gradus.autograd.op;

import io.gradus.autograd.Gradients;
import io.gradus.autograd.Operation;
import io.gradus.core.Tensor;
import io.gradus.core.kernel.ElementwiseKernels.Unary;

/**
 * {@code y = |x|}.
 *
 * <p>{@code dy/dx = sign(x)}: 1 for positive x and −1 for negative x. At 0 there is no derivative; 0 is used, as in
 * PyTorch.
 */
public final class Abs extends Operation {
    private Tensor x; // of the shape of y

    @Override
    protected Tensor forward(Tensor... inputs) {
        x = inputs[0];
        Tensor y = x.emptyLike(x.shape());
        x.kernels().elementwise().unary(Unary.ABS, x, y);
        return y;
    }

    @Override
    protected void backward(Tensor dy, Gradients gradients) {
        // This kernel reads only x, so x is passed for y, which was not kept.
        gradients.write(0, (dx, add) -> dy.kernels().elementwise().unaryBackward(Unary.ABS, x, x, dy, dx, add));
    }
}
