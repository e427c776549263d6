package io.gradus.autograd.op;

import io.gradus.autograd.Gradients;
import io.gradus.autograd.Operation;
import io.gradus.core.Tensor;
import io.gradus.core.kernel.ElementwiseKernels.Unary;

/**
 * {@code y = tanh x = sinh x / cosh x}.
 *
 * <p>The derivative of sinh is cosh and vice versa, and {@code cosh² − sinh² = 1}. The quotient rule gives
 * {@code (cosh·cosh − sinh·sinh)/cosh² = 1 − (sinh/cosh)²}, so {@code dy/dx = 1 − y²}. Only the result is kept.
 */
public final class Tanh extends Operation {
    private Tensor y; // of the shape of x

    @Override
    protected Tensor forward(Tensor... inputs) {
        Tensor x = inputs[0];
        y = x.emptyLike(x.shape());
        x.kernels().elementwise().unary(Unary.TANH, x, y);
        return y;
    }

    @Override
    protected void backward(Tensor dy, Gradients gradients) {
        // This kernel reads only y, so y is passed for x, which was not kept.
        gradients.write(0, (dx, add) -> dy.kernels().elementwise().unaryBackward(Unary.TANH, y, y, dy, dx, add));
    }
}
