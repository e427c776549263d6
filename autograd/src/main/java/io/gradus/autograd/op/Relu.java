package io.gradus.autograd.op;

import io.gradus.autograd.Gradients;
import io.gradus.autograd.Operation;
import io.gradus.core.Tensor;
import io.gradus.core.kernel.ElementwiseKernels.Unary;

/**
 * {@code y = max(x, 0)} (rectified linear unit).
 *
 * <p>The derivative is 1 for positive x and 0 for negative x. At 0 there is none; 0 is used, as in PyTorch. Since y is
 * positive exactly where x is, only the result is kept.
 */
public final class Relu extends Operation {
    private Tensor y; // of the shape of x

    @Override
    protected Tensor forward(Tensor... inputs) {
        Tensor x = inputs[0];
        y = x.emptyLike(x.shape());
        x.kernels().elementwise().unary(Unary.RELU, x, y);
        return y;
    }

    @Override
    protected void backward(Tensor dy, Gradients gradients) {
        // This kernel reads only y, so y is passed for x, which was not kept.
        gradients.write(0, (dx, add) -> dy.kernels().elementwise().unaryBackward(Unary.RELU, y, y, dy, dx, add));
    }
}
