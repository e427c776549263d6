package io.gradus.autograd.op;

import io.gradus.autograd.Gradients;
import io.gradus.autograd.Operation;
import io.gradus.core.Tensor;

/**
 * The cumulative sum along an axis, {@code yᵢ = x₀ + x₁ + … + xᵢ}.
 *
 * <p>{@code xₖ} is part of every {@code yᵢ} with {@code i ≥ k}, so {@code dxₖ = Σ_{i ≥ k} dyᵢ}: the cumulative sum of
 * the gradient from the other end.
 */
public final class Cumsum extends Operation {
    private final int axis;
    private int along; // the axis, from 0

    /** Creates the operation. */
    public Cumsum(int axis) {
        this.axis = axis;
    }

    @Override
    protected Tensor forward(Tensor... inputs) {
        Tensor x = inputs[0];
        along = x.axis(label(), axis);
        Tensor y = x.emptyLike(x.shape());
        x.kernels().scan().cumsum(x, along, false, y, false);
        return y;
    }

    @Override
    protected void backward(Tensor dy, Gradients gradients) {
        gradients.write(0, (dx, add) -> dy.kernels().scan().cumsum(dy, along, true, dx, add));
    }
}
