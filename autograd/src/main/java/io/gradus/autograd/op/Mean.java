package io.gradus.autograd.op;

import io.gradus.autograd.Gradients;
import io.gradus.autograd.Operation;
import io.gradus.core.Tensor;

/**
 * {@code y = (1/n)·Σᵢ xᵢ} over some axes, or all of them, where n is the number of elements per result. NaN if n is 0.
 *
 * <p>{@code ∂y/∂xᵢ = 1/n}: the gradient of {@link Sum} divided by n.
 */
public final class Mean extends Operation {
    private final boolean keepDim;
    private final int[] axes;
    private Reduced shapes;

    /**
     * Creates the operation.
     *
     * @param axes none means all
     * @param keepDim whether a reduced axis remains, with length 1
     */
    public Mean(int[] axes, boolean keepDim) {
        this.axes = axes.clone();
        this.keepDim = keepDim;
    }

    @Override
    protected Tensor forward(Tensor... inputs) {
        Tensor x = inputs[0];
        shapes = Reduced.of("mean", x, axes, keepDim);
        Tensor sum = Workspace.like(x, shapes.kept());
        Tensor y = Results.exact(x, shapes.kept());
        x.kernels().reduction().sumTo(x, sum, false);
        x.kernels().elementwise().affine(sum, 1.0 / shapes.count(), 0, y, false);
        sum.release();
        return y.reshape(shapes.result());
    }

    @Override
    protected void backward(Tensor dy, Gradients gradients) {
        Tensor kept = dy.reshape(shapes.kept());
        gradients.write(0, (dx, add) -> dy.kernels().elementwise().affine(kept, 1.0 / shapes.count(), 0, dx, add));
    }
}
