package io.gradus.autograd.op;

import io.gradus.autograd.Gradients;
import io.gradus.autograd.Operation;
import io.gradus.core.Shape;
import io.gradus.core.ShapeException;
import io.gradus.core.Tensor;
import io.gradus.core.kernel.GemmKernels;
import io.gradus.core.kernel.GemmKernels.Epilogue;

/**
 * {@code Y = X·W + b}, what a linear layer does to each row of X: to its last axis, whatever axes stand before it. W may be
 * read transposed, and the bias is optional.
 *
 * <p>One element is {@code yᵢⱼ = Σₖ xᵢₖ wₖⱼ + bⱼ}. A row of X meets all of W, so its gradient is a product with {@code Wᵀ};
 * {@code wₖⱼ} meets every row and gets {@code Σᵢ xᵢₖ dyᵢⱼ}; {@code bⱼ} is added to every row and gets {@code Σᵢ dyᵢⱼ}:
 *
 * <pre>
 *   dX = dY·Wᵀ        dW = Xᵀ·dY        db = the sum of the rows of dY
 * </pre>
 *
 * and for {@code Y = X·Wᵀ + b}: {@code dX = dY·W} and {@code dW = dYᵀ·X}. The bias is added while the product is at hand, and
 * Y is not kept.
 */
public final class Linear extends Operation {
    private final String name;
    private final boolean transposeWeight;
    private Tensor x;
    private Tensor weight;
    private boolean biased;

    /**
     * @param transposeWeight whether W is {@code [out, in]}, as PyTorch has it, and not {@code [in, out]}
     */
    public Linear(boolean transposeWeight) {
        this("linear", transposeWeight);
    }

    /**
     * The same under another name.
     *
     * @param name the operation that errors mention
     */
    public Linear(String name, boolean transposeWeight) {
        this.name = name;
        this.transposeWeight = transposeWeight;
    }

    /** Takes x {@code [.., in]}, the weight and, if there is one, the bias {@code [out]}. */
    @Override
    protected Tensor forward(Tensor... inputs) {
        x = inputs[0];
        weight = inputs[1];
        biased = inputs.length > 2;
        Tensor bias = biased ? inputs[2] : null;
        if (weight.shape().rank() != 2) {
            throw new ShapeException(
                    "linear", "the weight is no matrix", "use matmul for a batch of them", x.shape(), weight.shape());
        }
        Tensor y = x.emptyLike(GemmKernels.outputShape(name, x, false, weight, transposeWeight));
        GemmKernels gemm = x.kernels().gemm();
        if (bias == null) {
            gemm.matmul(rows(x), false, weight, transposeWeight, rows(y), false);
        } else {
            gemm.matmul(rows(x), false, weight, transposeWeight, new Epilogue(bias, null), rows(y));
        }
        return y;
    }

    @Override
    protected boolean readsHalf(int input) {
        return input == 1;
    }

    @Override
    protected void backward(Tensor dy, Gradients gradients) {
        GemmKernels gemm = dy.kernels().gemm();
        gradients.write(0, (dx, add) -> gemm.matmul(rows(dy), false, weight, !transposeWeight, rows(dx), add));
        gradients.write(1, (dw, add) -> {
            if (transposeWeight) {
                gemm.matmul(rows(dy), true, rows(x), false, dw, add);
            } else {
                gemm.matmul(rows(x), true, rows(dy), false, dw, add);
            }
        });
        if (biased) {
            gradients.pass(2, dy); // summed over the rows, as any broadcast operand
        }
    }

    /** All axes but the last as one: many matrices times one are a single product. */
    private static Tensor rows(Tensor x) {
        Shape leading = x.shape().sub(0, x.shape().rank() - 1);
        return x.reshape(leading.size(), x.shape().last());
    }
}
