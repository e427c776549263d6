package io.gradus.autograd.op;

import io.gradus.autograd.Gradients;
import io.gradus.autograd.Operation;
import io.gradus.core.Shape;
import io.gradus.core.Tensor;
import io.gradus.core.kernel.ElementwiseKernels.Binary;

/**
 * {@code y = a − b}, broadcasting.
 *
 * <p>{@code ∂y/∂a = 1} and {@code ∂y/∂b = −1}: the first operand gets the gradient, the second its negative.
 */
public final class Subtract extends Operation {

    @Override
    protected Tensor forward(Tensor... inputs) {
        Tensor a = inputs[0];
        Tensor b = inputs[1];
        Tensor y = Results.of(Shape.broadcast("subtract", a, b), a, b);
        a.kernels().elementwise().binary(Binary.SUBTRACT, a, b, y, false);
        return y;
    }

    @Override
    protected void backward(Tensor dy, Gradients gradients) {
        gradients.pass(0, dy);
        gradients.write(1, dy.shape(), (db, add) -> dy.kernels().elementwise().affine(dy, -1, 0, db, add));
    }
}
