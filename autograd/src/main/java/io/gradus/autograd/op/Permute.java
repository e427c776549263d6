package io.gradus.autograd.op;

import io.gradus.autograd.Gradients;
import io.gradus.autograd.Operation;
import io.gradus.core.Tensor;
import io.gradus.core.kernel.MovementKernels;

/** Reorders axes: axis i of the result is axis {@code order[i]} of the input. The gradient is permuted back. */
public final class Permute extends Operation {
    private final int[] order;

    /**
     * Creates the operation.
     *
     * @param order each axis once, from 0
     */
    public Permute(int... order) {
        this.order = order.clone();
    }

    @Override
    protected Tensor forward(Tensor... inputs) {
        Tensor x = inputs[0];
        Tensor y = x.emptyLike(MovementKernels.permuted(x, order));
        x.kernels().movement().permute(x, order, y, false);
        return y;
    }

    @Override
    protected void backward(Tensor dy, Gradients gradients) {
        int[] back = new int[order.length];
        for (int i = 0; i < order.length; i++) {
            back[order[i]] = i;
        }
        gradients.write(0, (dx, add) -> dy.kernels().movement().permute(dy, back, dx, add));
    }
}
