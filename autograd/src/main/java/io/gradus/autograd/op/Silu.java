package io.gradus.autograd.op;

import io.gradus.autograd.Gradients;
import io.gradus.autograd.Operation;
import io.gradus.core.Tensor;
import io.gradus.core.kernel.ElementwiseKernels.Unary;

/**
 * {@code y = x·σ(x)} (Elfwing, Uchibe &amp; Doya 2018; also called swish), with {@code σ(x) = 1/(1 + e⁻ˣ)}.
 *
 * <p>By the product rule, with {@code σ′ = σ(1 − σ)} from {@link Sigmoid}:
 * {@code dy/dx = σ + x·σ(1 − σ) = σ(1 + x(1 − σ))}. The function has a minimum at −1.28, so y does not determine the
 * derivative, and x is kept.
 */
public final class Silu extends Operation {
    private Tensor x; // of the shape of y

    @Override
    protected Tensor forward(Tensor... inputs) {
        x = inputs[0];
        Tensor y = x.emptyLike(x.shape());
        x.kernels().elementwise().unary(Unary.SILU, x, y);
        return y;
    }

    @Override
    protected void backward(Tensor dy, Gradients gradients) {
        // This kernel reads only x, so x is passed for y, which was not kept.
        gradients.write(0, (dx, add) -> dy.kernels().elementwise().unaryBackward(Unary.SILU, x, x, dy, dx, add));
    }
}
