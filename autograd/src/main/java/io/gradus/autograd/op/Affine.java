package io.gradus.autograd.op;

import io.gradus.autograd.Gradients;
import io.gradus.autograd.Operation;
import io.gradus.core.Tensor;

/**
 * {@code y = scale·x + shift} with two constants.
 *
 * <p>{@code ∂y/∂x = scale}. The shift does not affect the gradient, and nothing is kept.
 */
public final class Affine extends Operation {
    private final double scale;
    private final double shift;

    /** Creates the operation. */
    public Affine(double scale, double shift) {
        this.scale = scale;
        this.shift = shift;
    }

    @Override
    protected Tensor forward(Tensor... inputs) {
        Tensor x = inputs[0];
        Tensor y = x.emptyLike(x.shape());
        x.kernels().elementwise().affine(x, scale, shift, y, false);
        return y;
    }

    @Override
    protected void backward(Tensor dy, Gradients gradients) {
        gradients.write(0, (dx, add) -> dy.kernels().elementwise().affine(dy, scale, 0, dx, add));
    }
}
