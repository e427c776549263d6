package io.gradus.autograd.op;

import io.gradus.autograd.Gradients;
import io.gradus.autograd.Operation;
import io.gradus.core.Tensor;

/**
 * {@code y = maxᵢ xᵢ} over some axes, or all of them.
 *
 * <p>{@code ∂y/∂xᵢ} is 1 for the largest element and 0 for any other. If several are equally large there is no
 * derivative; the gradient is divided equally among them, as in {@code torch.amax}.
 */
public final class Max extends Operation {
    private final boolean keepDim;
    private final int[] axes;
    private Tensor x;
    private Tensor y; // the shape of x, with length 1 along the reduced axes

    /**
     * Creates the operation.
     *
     * @param axes none means all
     * @param keepDim whether a reduced axis remains, with length 1
     */
    public Max(int[] axes, boolean keepDim) {
        this.axes = axes.clone();
        this.keepDim = keepDim;
    }

    @Override
    protected Tensor forward(Tensor... inputs) {
        x = inputs[0];
        Reduced shapes = Reduced.of("max", x, axes, keepDim);
        if (x.size() == 0 && shapes.kept().size() > 0) {
            throw new IllegalArgumentException("max: " + x.describe() + " has no elements along the reduced axes");
        }
        y = x.emptyLike(shapes.kept());
        x.kernels().reduction().maxTo(x, y);
        return y.reshape(shapes.result());
    }

    @Override
    protected void backward(Tensor dy, Gradients gradients) {
        Tensor kept = dy.reshape(y.shape());
        gradients.write(0, (dx, add) -> dy.kernels().reduction().maxBackward(x, y, kept, dx, add));
    }
}
