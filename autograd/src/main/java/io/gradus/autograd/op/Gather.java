package io.gradus.autograd.op;

import io.gradus.autograd.Gradients;
import io.gradus.autograd.Operation;
import io.gradus.core.Tensor;

/**
 * {@code y[…, j, …] = x[…, index[…, j, …], …]} along an axis, like {@code torch.gather}.
 *
 * <p>The gradient of an element is the sum of the gradients of all places that read it, or 0 if none does.
 */
public final class Gather extends Operation {
    private final int axis;
    private final Tensor index;
    private int along; // the axis, from 0

    /**
     * Creates the operation.
     *
     * @param index I32 of the result's shape; on every other axis no longer than the input
     */
    public Gather(int axis, Tensor index) {
        this.axis = axis;
        this.index = index;
    }

    @Override
    protected Tensor forward(Tensor... inputs) {
        Tensor x = inputs[0];
        along = x.axis(label(), axis);
        Tensor y = x.emptyLike(index.shape());
        x.kernels().movement().gather(x, along, index, y);
        return y;
    }

    @Override
    protected void backward(Tensor dy, Gradients gradients) {
        gradients.write(0, (dx, add) -> dy.kernels().movement().gatherBackward(index, along, dy, dx, add));
    }
}
