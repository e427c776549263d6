package io.gradus.autograd.op;

import io.gradus.autograd.Gradients;
import io.gradus.autograd.Operation;
import io.gradus.core.Shape;
import io.gradus.core.Tensor;
import io.gradus.core.kernel.ElementwiseKernels.Binary;

/**
 * {@code y = a + b}, broadcasting.
 *
 * <p>{@code ∂y/∂a = ∂y/∂b = 1}: a sum passes its gradient on to both operands, unchanged. (This is why gradients reach
 * the first layer through residual connections.)
 */
public final class Add extends Operation {

    @Override
    protected Tensor forward(Tensor... inputs) {
        Tensor a = inputs[0];
        Tensor b = inputs[1];
        Tensor y = Results.of(Shape.broadcast("add", a, b), a, b);
        a.kernels().elementwise().binary(Binary.ADD, a, b, y, false);
        return y;
    }

    @Override
    protected void backward(Tensor dy, Gradients gradients) {
        gradients.pass(0, dy);
        gradients.pass(1, dy);
    }
}
