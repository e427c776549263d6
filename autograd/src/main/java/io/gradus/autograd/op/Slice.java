package io.gradus.autograd.op;

import io.gradus.autograd.Gradients;
import io.gradus.autograd.Operation;
import io.gradus.core.Shape;
import io.gradus.core.Tensor;

/**
 * The part of a tensor between two indices of an axis; along axis 0, a view without a copy.
 *
 * <p>The elements of the slice get its gradient, all others 0. Several slices of one tensor write into one buffer: the
 * first fills it with zeros, the others add only their own part.
 */
public final class Slice extends Operation {
    private final int axis;
    private final long from;
    private final long to;
    private int along; // the axis, from 0

    /**
     * Creates the operation.
     *
     * @param from inclusive
     * @param to exclusive
     */
    public Slice(int axis, long from, long to) {
        this.axis = axis;
        this.from = from;
        this.to = to;
    }

    @Override
    protected Tensor forward(Tensor... inputs) {
        Tensor x = inputs[0];
        Shape shape = x.shape();
        along = x.axis(label(), axis);
        if (from < 0 || to < from || to > shape.get(along)) {
            throw new IllegalArgumentException(
                    "slice: " + from + " to " + to + " is not within axis " + axis + " of " + x.describe());
        }
        if (along == 0) {
            return x.slice(from, to);
        }
        Tensor y = x.emptyLike(shape.with(along, to - from));
        x.kernels().movement().slice(x, along, from, y, false);
        return y;
    }

    @Override
    protected void backward(Tensor dy, Gradients gradients) {
        gradients.write(0, (dx, add) -> {
            if (!add) {
                dx.kernels().elementwise().fill(dx, 0);
            }
            dy.kernels().movement().place(dy, along, from, dx, add);
        });
    }
}
