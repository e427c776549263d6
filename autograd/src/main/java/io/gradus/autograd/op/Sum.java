package io.gradus.autograd.op;

import io.gradus.autograd.Gradients;
import io.gradus.autograd.Operation;
import io.gradus.core.Tensor;

/**
 * {@code y = Σᵢ xᵢ} over some axes, or all of them.
 *
 * <p>{@code ∂y/∂xᵢ = 1} for each i: every element gets the gradient of the sum it is part of. So the gradient of a sum
 * is broadcasting, just as the gradient of broadcasting is a sum.
 */
public final class Sum extends Operation {
    private final boolean keepDim;
    private final int[] axes;
    private Reduced shapes;

    /**
     * Creates the operation.
     *
     * @param axes none means all
     * @param keepDim whether a reduced axis remains, with length 1
     */
    public Sum(int[] axes, boolean keepDim) {
        this.axes = axes.clone();
        this.keepDim = keepDim;
    }

    @Override
    protected Tensor forward(Tensor... inputs) {
        Tensor x = inputs[0];
        shapes = Reduced.of("sum", x, axes, keepDim);
        Tensor y = Results.exact(x, shapes.kept());
        x.kernels().reduction().sumTo(x, y, false);
        return y.reshape(shapes.result());
    }

    @Override
    protected void backward(Tensor dy, Gradients gradients) {
        Tensor kept = dy.reshape(shapes.kept());
        gradients.write(0, (dx, add) -> dy.kernels().elementwise().affine(kept, 1, 0, dx, add));
    }
}
