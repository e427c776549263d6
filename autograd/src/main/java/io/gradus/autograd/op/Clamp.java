package io.gradus.autograd.op;

import io.gradus.autograd.Gradients;
import io.gradus.autograd.Operation;
import io.gradus.core.Tensor;
import io.gradus.core.kernel.ElementwiseKernels.Binary;
import io.gradus.core.kernel.ElementwiseKernels.Comparison;
import java.util.List;

/**
 * {@code y = min(max(x, min), max)}: limits elements to an interval.
 *
 * <p>Inside the interval {@code y = x} and {@code dy/dx = 1}; outside, y is constant and {@code dy/dx = 0}. At the
 * bounds there is no derivative; 0 is used, as in PyTorch 2.15.
 */
public final class Clamp extends Operation {
    private final double min;
    private final double max;
    private Tensor x; // of the shape of y

    /**
     * Creates the operation.
     *
     * @param min −∞ for no lower bound
     * @param max ∞ for no upper bound
     * @throws IllegalArgumentException if {@code min > max}, or one is NaN
     */
    public Clamp(double min, double max) {
        if (!(min <= max)) {
            throw new IllegalArgumentException(
                    "clamp: the interval from " + min + " to " + max + " is empty; exchange them");
        }
        this.min = min;
        this.max = max;
    }

    @Override
    protected Tensor forward(Tensor... inputs) {
        x = inputs[0];
        Tensor y = x.emptyLike(x.shape());
        clamp(x, min, max, y);
        return y;
    }

    @Override
    protected void backward(Tensor dy, Gradients gradients) {
        var kernels = dy.kernels().elementwise();
        gradients.write(0, (dx, add) -> {
            Tensor condition = Workspace.condition(x, x.shape());
            Tensor aboveMin = Workspace.like(dy, dy.shape());
            Tensor lower = Workspace.scalar(x, min);
            Tensor upper = Workspace.scalar(x, max);
            Tensor zero = Workspace.scalar(dy, 0);
            kernels.compare(Comparison.GT, x, lower, condition);
            kernels.where(condition, dy, zero, aboveMin, false);
            kernels.compare(Comparison.LT, x, upper, condition);
            kernels.where(condition, aboveMin, zero, dx, add);
            List.of(condition, aboveMin, lower, upper, zero).forEach(Tensor::release);
        });
    }

    /** {@code y = min(max(x, min), max)}. */
    static void clamp(Tensor x, double min, double max, Tensor y) {
        Tensor atLeastMin = Workspace.like(x, x.shape());
        Tensor lower = Workspace.scalar(x, min);
        Tensor upper = Workspace.scalar(x, max);
        x.kernels().elementwise().binary(Binary.MAXIMUM, x, lower, atLeastMin, false);
        x.kernels().elementwise().binary(Binary.MINIMUM, atLeastMin, upper, y, false);
        List.of(atLeastMin, lower, upper).forEach(Tensor::release);
    }
}
