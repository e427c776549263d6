package io.gradus.autograd.op;

import io.gradus.autograd.Gradients;
import io.gradus.autograd.Operation;
import io.gradus.core.Tensor;
import io.gradus.core.kernel.ElementwiseKernels.Unary;

/**
 * {@code y = ln x}.
 *
 * <p>From {@code e^y = x}, differentiated on both sides: {@code e^y·dy/dx = 1}, so {@code dy/dx = 1/e^y = 1/x}.
 */
public final class Log extends Operation {
    private Tensor x; // of the shape of y

    @Override
    protected Tensor forward(Tensor... inputs) {
        x = inputs[0];
        Tensor y = x.emptyLike(x.shape());
        x.kernels().elementwise().unary(Unary.LOG, x, y);
        return y;
    }

    @Override
    protected void backward(Tensor dy, Gradients gradients) {
        // This kernel reads only x, so x is passed for y, which was not kept.
        gradients.write(0, (dx, add) -> dy.kernels().elementwise().unaryBackward(Unary.LOG, x, x, dy, dx, add));
    }
}
