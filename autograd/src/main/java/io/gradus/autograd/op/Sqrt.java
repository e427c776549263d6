package io.gradus.autograd.op;

import io.gradus.autograd.Gradients;
import io.gradus.autograd.Operation;
import io.gradus.core.Tensor;
import io.gradus.core.kernel.ElementwiseKernels.Unary;

/**
 * {@code y = √x}.
 *
 * <p>From {@code y² = x}, differentiated on both sides: {@code 2y·dy/dx = 1}, so {@code dy/dx = 1/(2y)}, which is
 * infinite at x = 0. Only the result is kept.
 */
public final class Sqrt extends Operation {
    private Tensor y; // of the shape of x

    @Override
    protected Tensor forward(Tensor... inputs) {
        Tensor x = inputs[0];
        y = x.emptyLike(x.shape());
        x.kernels().elementwise().unary(Unary.SQRT, x, y);
        return y;
    }

    @Override
    protected void backward(Tensor dy, Gradients gradients) {
        // This kernel reads only y, so y is passed for x, which was not kept.
        gradients.write(0, (dx, add) -> dy.kernels().elementwise().unaryBackward(Unary.SQRT, y, y, dy, dx, add));
    }
}
