package io.gradus.autograd.op;

import io.gradus.autograd.Gradients;
import io.gradus.autograd.Operation;
import io.gradus.core.Shape;
import io.gradus.core.ShapeException;
import io.gradus.core.Tensor;

/**
 * Joins tensors along an axis. The gradient of each is the slice of the gradient at its position.
 */
public final class Concat extends Operation {
    private final int axis;
    private int along; // the axis, from 0
    private long[] starts; // where each input begins along the axis

    /** Creates the operation. */
    public Concat(int axis) {
        this.axis = axis;
    }

    @Override
    protected Tensor forward(Tensor... inputs) {
        if (inputs.length == 0) {
            throw new IllegalArgumentException("concat: there is no tensor; pass at least one");
        }
        Tensor first = inputs[0];
        along = first.axis(label(), axis);
        starts = new long[inputs.length];
        long length = 0;
        for (int i = 0; i < inputs.length; i++) {
            Shape shape = inputs[i].shape();
            if (shape.rank() != first.shape().rank()
                    || !shape.with(along, first.shape().get(along)).equals(first.shape())) {
                throw new ShapeException(
                        "concat",
                        "shapes differ on an axis other than " + axis,
                        "make all other lengths equal",
                        first,
                        inputs[i]);
            }
            starts[i] = length;
            length += shape.get(along);
        }
        Tensor y = Results.of(first.shape().with(along, length), first, inputs);
        for (int i = 0; i < inputs.length; i++) {
            y.kernels().movement().place(inputs[i], along, starts[i], y, false);
        }
        return y;
    }

    @Override
    protected void backward(Tensor dy, Gradients gradients) {
        for (int i = 0; i < starts.length; i++) {
            long start = starts[i];
            gradients.write(i, (dx, add) -> dy.kernels().movement().slice(dy, along, start, dx, add));
        }
    }
}
