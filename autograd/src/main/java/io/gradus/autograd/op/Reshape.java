package io.gradus.autograd.op;

import io.gradus.autograd.Gradients;
import io.gradus.autograd.Operation;
import io.gradus.core.Shape;
import io.gradus.core.Tensor;

/** The same elements in another shape. The gradient gets the old shape back. Neither is copied. */
public final class Reshape extends Operation {
    private final Shape shape;
    private Shape before; // the shape of x

    /** Creates the operation. */
    public Reshape(Shape shape) {
        this.shape = shape;
    }

    @Override
    protected Tensor forward(Tensor... inputs) {
        before = inputs[0].shape();
        return inputs[0].reshape(shape);
    }

    @Override
    protected void backward(Tensor dy, Gradients gradients) {
        gradients.pass(0, dy.reshape(before));
    }
}
