package io.gradus.autograd.op;

import io.gradus.autograd.Gradients;
import io.gradus.autograd.Operation;
import io.gradus.core.Tensor;

/**
 * {@code y[…, j, …] = x[…, index[…, j, …], …]} along an axis, as {@code torch.gather}.
 *
 * <p>An element that was read n times gets the sum of those n gradients, one that was not read gets 0.
 */
public final class Gather extends Operation {
    private final int axis;
    private final Tensor index;
    private int along;

    /**
     * @param index I32 of the shape of the result; on every other axis no longer than the input
     */
    public Gather(int axis, Tensor index) {
        this.axis = axis;
        this.index = index;
    }

    @Override
    protected Tensor forward(Tensor... inputs) {
        Tensor x = inputs[0];
        along = x.shape().axis(axis);
        Tensor y = x.emptyLike(index.shape());
        x.kernels().movement().gather(x, along, index, y);
        return y;
    }

    @Override
    protected void backward(Tensor dy, Gradients gradients) {
        gradients.write(0, (dx, add) -> dy.kernels().movement().gatherBackward(index, along, dy, dx, add));
    }
}
