package io.gradus.autograd.op;

import io.gradus.autograd.Gradients;
import io.gradus.autograd.Operation;
import io.gradus.core.Tensor;
import io.gradus.core.kernel.ElementwiseKernels.Unary;

/**
 * {@code y = σ(x) = 1/(1 + e⁻ˣ)}.
 *
 * <p>By the chain rule {@code dy/dx = e⁻ˣ/(1 + e⁻ˣ)²}; with {@code 1/(1 + e⁻ˣ) = y} and {@code e⁻ˣ/(1 + e⁻ˣ) = 1 − y}
 * this is {@code y(1 − y)}. Only the result is kept.
 */
public final class Sigmoid extends Operation {
    private Tensor y; // of the shape of x

    @Override
    protected Tensor forward(Tensor... inputs) {
        Tensor x = inputs[0];
        y = x.emptyLike(x.shape());
        x.kernels().elementwise().unary(Unary.SIGMOID, x, y);
        return y;
    }

    @Override
    protected void backward(Tensor dy, Gradients gradients) {
        // This kernel reads only y, so y is passed for x, which was not kept.
        gradients.write(0, (dx, add) -> dy.kernels().elementwise().unaryBackward(Unary.SIGMOID, y, y, dy, dx, add));
    }
}
