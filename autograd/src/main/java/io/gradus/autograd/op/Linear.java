package io.gradus.autograd.op;

import io.gradus.autograd.Gradients;
import io.gradus.autograd.Operation;
import io.gradus.core.Shape;
import io.gradus.core.ShapeException;
import io.gradus.core.Tensor;
import io.gradus.core.kernel.GemmKernels;
import io.gradus.core.kernel.GemmKernels.Epilogue;
import org.jspecify.annotations.Nullable;

/**
 * {@code Y = X·W + b}, a linear layer applied to each row of X, that is, to its last axis. W may be read as its
 * transpose, and the bias is optional.
 *
 * <p>One element is {@code yᵢⱼ = Σₖ xᵢₖ wₖⱼ + bⱼ}. So {@code xᵢₖ} gets {@code Σⱼ dyᵢⱼ wₖⱼ}, {@code wₖⱼ} gets
 * {@code Σᵢ xᵢₖ dyᵢⱼ}, and {@code bⱼ}, which is added to every row, gets {@code Σᵢ dyᵢⱼ}:
 *
 * <pre>
 *   dX = dY·Wᵀ        dW = Xᵀ·dY        db = the sum of the rows of dY
 * </pre>
 *
 * and for {@code Y = X·Wᵀ + b}, {@code dX = dY·W} and {@code dW = dYᵀ·X}. The kernel adds the bias while it computes
 * the product. Y is not kept.
 */
public final class Linear extends Operation {
    private final String name;
    private final boolean transposeWeight;
    private boolean biased;
    private Tensor x; // […, in]
    private Tensor weight; // [in, out], or [out, in] if it is transposed

    /**
     * Creates the operation.
     *
     * @param transposeWeight whether W is {@code [out, in]}, as in PyTorch, and not {@code [in, out]}
     */
    public Linear(boolean transposeWeight) {
        this("linear", transposeWeight);
    }

    /**
     * Creates the operation under another name.
     *
     * @param name the name in error messages and drawings of the graph
     */
    public Linear(String name, boolean transposeWeight) {
        this.name = name;
        this.transposeWeight = transposeWeight;
    }

    @Override
    public String label() {
        return name;
    }

    /** Takes x {@code […, in]}, the weight and, if there is one, the bias {@code [out]}. */
    @Override
    protected Tensor forward(Tensor... inputs) {
        x = inputs[0];
        weight = inputs[1];
        biased = inputs.length > 2;
        Tensor bias = biased ? inputs[2] : null;
        Tensor y = x.emptyLike(x.shape().with(-1, outputs(x, weight, bias)));
        GemmKernels gemm = x.kernels().gemm();
        if (bias == null) {
            gemm.matmul(rows(x), false, weight, transposeWeight, rows(y), false);
        } else {
            gemm.matmul(rows(x), false, weight, transposeWeight, new Epilogue(bias, null), rows(y));
        }
        return y;
    }

    /** The length of the result's last axis. */
    private long outputs(Tensor x, Tensor weight, @Nullable Tensor bias) {
        if (weight.shape().rank() != 2) {
            throw new ShapeException(
                    name, "the weight is not a matrix", "use matmul for a batch of matrices", x, weight);
        }
        long in = weight.shape().get(transposeWeight ? 1 : 0);
        long out = weight.shape().get(transposeWeight ? 0 : 1);
        if (x.shape().rank() == 0 || x.shape().last() != in) {
            throw new ShapeException(
                    name,
                    "the weight takes rows of " + in + " elements and the input has rows of "
                            + x.shape().last(),
                    "pass an input […, " + in + "], or transpose the weight",
                    x,
                    weight);
        }
        if (bias != null && !bias.shape().equals(Shape.of(out))) {
            throw new ShapeException(
                    name, "the bias does not match the weight", "pass a bias [" + out + "]", weight, bias);
        }
        return out;
    }

    @Override
    protected boolean readsHalf(int input) {
        return input == 1;
    }

    @Override
    protected void backward(Tensor dy, Gradients gradients) {
        GemmKernels gemm = dy.kernels().gemm();
        gradients.writeOnce(0, (dx, add) -> gemm.matmul(rows(dy), false, weight, !transposeWeight, rows(dx), add));
        gradients.writeOnce(1, (dw, add) -> {
            if (transposeWeight) {
                gemm.matmul(rows(dy), true, rows(x), false, dw, add);
            } else {
                gemm.matmul(rows(x), true, rows(dy), false, dw, add);
            }
        });
        if (biased) {
            gradients.pass(2, dy); // summed over the rows, like any broadcast operand
        }
    }

    /** All axes but the last as one, so that many matrices times one matrix are a single product. */
    private static Tensor rows(Tensor x) {
        Shape leading = x.shape().sub(0, x.shape().rank() - 1);
        return x.reshape(leading.size(), x.shape().last());
    }
}
