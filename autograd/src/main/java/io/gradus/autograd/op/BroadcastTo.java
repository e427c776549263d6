package io.gradus.autograd.op;

import io.gradus.autograd.Gradients;
import io.gradus.autograd.Operation;
import io.gradus.core.Shape;
import io.gradus.core.ShapeException;
import io.gradus.core.Tensor;

/** Repeats elements to fill a larger shape. The gradient of an element is the sum of the gradients of its copies. */
public final class BroadcastTo extends Operation {
    private final Shape shape;

    /** Creates the operation. */
    public BroadcastTo(Shape shape) {
        this.shape = shape;
    }

    @Override
    protected Tensor forward(Tensor... inputs) {
        Tensor x = inputs[0];
        if (!x.shape().broadcastsTo(shape)) {
            throw new ShapeException(
                    "broadcastTo",
                    "the tensor does not broadcast to " + shape,
                    "its lengths must be equal or 1, aligned at the last axis",
                    x);
        }
        Tensor y = x.emptyLike(shape);
        x.kernels().elementwise().affine(x, 1, 0, y, false);
        return y;
    }

    @Override
    protected void backward(Tensor dy, Gradients gradients) {
        gradients.pass(0, dy);
    }
}
