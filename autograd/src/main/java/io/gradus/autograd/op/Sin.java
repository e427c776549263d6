package io.gradus.autograd.op;

import io.gradus.autograd.Gradients;
import io.gradus.autograd.Operation;
import io.gradus.core.Tensor;
import io.gradus.core.kernel.ElementwiseKernels.Unary;

/**
 * {@code y = sin x}.
 *
 * <p>From {@code sin(x + h) = sin x·cos h + cos x·sin h}, with {@code (cos h − 1)/h → 0} and {@code sin h/h → 1},
 * follows {@code dy/dx = cos x}.
 */
public final class Sin extends Operation {
    private Tensor x; // of the shape of y

    @Override
    protected Tensor forward(Tensor... inputs) {
        x = inputs[0];
        Tensor y = x.emptyLike(x.shape());
        x.kernels().elementwise().unary(Unary.SIN, x, y);
        return y;
    }

    @Override
    protected void backward(Tensor dy, Gradients gradients) {
        // This kernel reads only x, so x is passed for y, which was not kept.
        gradients.write(0, (dx, add) -> dy.kernels().elementwise().unaryBackward(Unary.SIN, x, x, dy, dx, add));
    }
}
