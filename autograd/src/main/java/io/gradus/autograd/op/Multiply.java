package io.gradus.autograd.op;

import io.gradus.autograd.Gradients;
import io.gradus.autograd.Operation;
import io.gradus.core.Shape;
import io.gradus.core.Tensor;
import io.gradus.core.kernel.ElementwiseKernels.Binary;

/**
 * {@code y = a·b}, element by element, broadcasting.
 *
 * <p>By the product rule, {@code ∂y/∂a = b} and {@code ∂y/∂b = a}: the gradient of each factor is the other times dy.
 */
public final class Multiply extends Operation {
    private Tensor a; // broadcasts to the shape of y
    private Tensor b; // broadcasts to the shape of y

    @Override
    protected Tensor forward(Tensor... inputs) {
        a = inputs[0];
        b = inputs[1];
        Tensor y = Results.of(Shape.broadcast("multiply", a, b), a, b);
        a.kernels().elementwise().binary(Binary.MULTIPLY, a, b, y, false);
        return y;
    }

    @Override
    protected void backward(Tensor dy, Gradients gradients) {
        var kernels = dy.kernels().elementwise();
        gradients.write(0, dy.shape(), (da, add) -> kernels.binary(Binary.MULTIPLY, dy, b, da, add));
        gradients.write(1, dy.shape(), (db, add) -> kernels.binary(Binary.MULTIPLY, dy, a, db, add));
    }
}
