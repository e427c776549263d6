package io.gradus.autograd.op;

import io.gradus.autograd.Gradients;
import io.gradus.autograd.Operation;
import io.gradus.core.Tensor;
import io.gradus.core.kernel.ElementwiseKernels.Unary;

/**
 * {@code y = max(x, 0)} (rectified linear unit).
 *
 * <p>Right of 0 the slope is 1, left of it 0. At 0 there is no derivative; 0 is taken, as PyTorch does. Since y is positive
 * just where x is, only the result is kept.
 */
public final class Relu extends Operation {
    private Tensor y;

    @Override
    protected Tensor forward(Tensor... inputs) {
        Tensor x = inputs[0];
        y = x.emptyLike(x.shape());
        x.kernels().elementwise().unary(Unary.RELU, x, y);
        return y;
    }

    @Override
    protected void backward(Tensor dy, Gradients gradients) {
        // The kernel reads y alone; y stands in for the x that was not kept.
        gradients.write(0, (dx, add) -> dy.kernels().elementwise().unaryBackward(Unary.RELU, y, y, dy, dx, add));
    }
}
