package io.gradus.autograd.op;

import io.gradus.autograd.Gradients;
import io.gradus.autograd.Operation;
import io.gradus.core.Tensor;
import io.gradus.core.kernel.ElementwiseKernels.Unary;

/**
 * {@code y = x·Φ(x)} with Φ the standard normal distribution function (Gaussian error linear unit, Hendrycks &amp;
 * Gimpel 2016).
 *
 * <p>The derivative of Φ is the normal density {@code φ(x) = e^{−x²/2}/√(2π)}, so by the product rule
 * {@code dy/dx = Φ(x) + x·φ(x)}.
 *
 * <p>The same paper's approximation replaces {@code Φ(x)} by {@code ½(1 + t)} with {@code t = tanh(u)} and
 * {@code u = √(2/π)(x + 0.044715x³)}. With {@code t′ = (1 − t²)u′} from {@link Tanh},
 *
 * <pre>
 *   dy/dx = ½(1 + t) + ½x(1 − t²)·√(2/π)(1 + 3·0.044715x²)
 * </pre>
 *
 * The function falls before it rises, so y does not determine the derivative, and x is kept.
 */
public final class Gelu extends Operation {
    private final Unary function;
    private Tensor x; // of the shape of y

    /**
     * Creates the operation.
     *
     * @param tanh whether to use the approximation, as GPT-2 does ({@code gelu_new}, {@code gelu_pytorch_tanh})
     */
    public Gelu(boolean tanh) {
        this.function = tanh ? Unary.GELU_TANH : Unary.GELU;
    }

    @Override
    public String label() {
        return function == Unary.GELU ? "gelu" : "geluTanh";
    }

    @Override
    protected Tensor forward(Tensor... inputs) {
        x = inputs[0];
        Tensor y = x.emptyLike(x.shape());
        x.kernels().elementwise().unary(function, x, y);
        return y;
    }

    @Override
    protected void backward(Tensor dy, Gradients gradients) {
        // This kernel reads only x, so x is passed for y, which was not kept.
        gradients.write(0, (dx, add) -> dy.kernels().elementwise().unaryBackward(function, x, x, dy, dx, add));
    }
}
