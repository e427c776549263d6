package io.gradus.autograd.op;

import io.gradus.autograd.Gradients;
import io.gradus.autograd.Operation;
import io.gradus.core.Shape;
import io.gradus.core.Tensor;

/** The same elements in another shape. The gradient gets the old shape back. Neither is copied. */
public final class Reshape extends Operation {
    private final long[] lengths;
    private Shape before; // the shape of x

    /**
     * Creates the operation.
     *
     * @param lengths one of which may be −1 and is inferred
     */
    public Reshape(long... lengths) {
        this.lengths = lengths.clone();
    }

    @Override
    protected Tensor forward(Tensor... inputs) {
        before = inputs[0].shape();
        return inputs[0].reshape(lengths);
    }

    @Override
    protected void backward(Tensor dy, Gradients gradients) {
        gradients.pass(0, dy.reshape(before));
    }
}
