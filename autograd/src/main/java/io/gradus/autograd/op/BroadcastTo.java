package io.gradus.autograd.op;

import io.gradus.autograd.Gradients;
import io.gradus.autograd.Operation;
import io.gradus.core.Shape;
import io.gradus.core.ShapeException;
import io.gradus.core.Tensor;

/** Elements repeated to fill a larger shape. An element's gradient is the sum of the gradients of its copies. */
public final class BroadcastTo extends Operation {
    private final Shape shape;

    public BroadcastTo(Shape shape) {
        this.shape = shape;
    }

    @Override
    protected Tensor forward(Tensor... inputs) {
        Tensor x = inputs[0];
        if (!x.shape().broadcastsTo(shape)) {
            throw new ShapeException(
                    "broadcastTo",
                    "the first does not broadcast to the second",
                    "lengths must be equal or 1, aligned at the last axis",
                    x.shape(),
                    shape);
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
