package io.gradus.autograd.op;

import io.gradus.autograd.Gradients;
import io.gradus.autograd.Operation;
import io.gradus.core.MemoryCategory;
import io.gradus.core.Shape;
import io.gradus.core.Tensor;

/**
 * {@code y = condition ≠ 0 ? a : b}, element by element, broadcasting.
 *
 * <p>Each element of y is an element of a or of b: that one gets the gradient, the other 0.
 */
public final class Where extends Operation {
    private final Tensor condition;

    /**
     * Creates the operation.
     *
     * @param condition I32, which broadcasts with a and b
     */
    public Where(Tensor condition) {
        this.condition = condition;
    }

    @Override
    protected Tensor forward(Tensor... inputs) {
        Tensor a = inputs[0];
        Tensor b = inputs[1];
        Shape both = Shape.broadcast("where", a, b);
        Tensor y = Results.of(Shape.broadcast("where", condition.shape(), both), a, b);
        a.kernels().elementwise().where(condition, a, b, y, false);
        return y;
    }

    @Override
    protected void backward(Tensor dy, Gradients gradients) {
        var kernels = dy.kernels().elementwise();
        Tensor zero = Tensor.zeros(dy.device(), dy.dtype(), Shape.scalar(), MemoryCategory.WORKSPACE);
        gradients.write(0, dy.shape(), (da, add) -> kernels.where(condition, dy, zero, da, add));
        gradients.write(1, dy.shape(), (db, add) -> kernels.where(condition, zero, dy, db, add));
        zero.release();
    }
}
