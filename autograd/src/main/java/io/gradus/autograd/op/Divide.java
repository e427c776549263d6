package io.gradus.autograd.op;

import io.gradus.autograd.Gradients;
import io.gradus.autograd.Operation;
import io.gradus.core.Shape;
import io.gradus.core.Tensor;
import io.gradus.core.kernel.ElementwiseKernels.Binary;

/**
 * {@code y = a/b}, element by element, broadcasting.
 *
 * <p>{@code ∂y/∂a = 1/b}, and {@code ∂y/∂b = −a/b² = −y/b}, so a is not kept:
 *
 * <pre>
 *   da = dy / b        db = (dy ⊙ y) / (−b)
 * </pre>
 */
public final class Divide extends Operation {
    private Tensor b; // broadcasts to the shape of y
    private Tensor y;

    @Override
    protected Tensor forward(Tensor... inputs) {
        Tensor a = inputs[0];
        b = inputs[1];
        y = Results.of(Shape.broadcast("divide", a, b), a, b);
        a.kernels().elementwise().binary(Binary.DIVIDE, a, b, y, false);
        return y;
    }

    @Override
    protected void backward(Tensor dy, Gradients gradients) {
        var kernels = dy.kernels().elementwise();
        gradients.write(0, dy.shape(), (da, add) -> kernels.binary(Binary.DIVIDE, dy, b, da, add));
        gradients.write(1, dy.shape(), (db, add) -> {
            Tensor product = Workspace.like(y, y.shape());
            Tensor minusB = Workspace.like(b, b.shape());
            kernels.binary(Binary.MULTIPLY, dy, y, product, false);
            kernels.affine(b, -1, 0, minusB, false);
            kernels.binary(Binary.DIVIDE, product, minusB, db, add);
            product.release();
            minusB.release();
        });
    }
}
