package io.gradus.autograd.op;

import io.gradus.autograd.Gradients;
import io.gradus.autograd.Operation;
import io.gradus.core.Shape;
import io.gradus.core.Tensor;
import io.gradus.core.kernel.GemmKernels;

/**
 * {@code Y = A·B}, over the last two axes; each operand may be read transposed, and the axes before them are a batch.
 *
 * <p>One element is {@code yᵢⱼ = Σₖ aᵢₖ bₖⱼ}. So {@code ∂L/∂aᵢₖ = Σⱼ ∂L/∂yᵢⱼ · bₖⱼ}: in matrices
 *
 * <pre>
 *   dA = dY·Bᵀ        dB = Aᵀ·dY
 * </pre>
 *
 * and where an operand was read transposed, its gradient is the transpose of that: {@code d(Aᵀ) = (dA)ᵀ}, hence for
 * {@code Y = Aᵀ·B}: {@code dA = B·dYᵀ}. No transposed copy is made; the products take flags. Many matrices times one are {@link Linear}.
 */
public final class MatMul extends Operation {
    private final boolean transposeA;
    private final boolean transposeB;
    private Tensor a;
    private Tensor b;
    private GemmKernels gemm;

    public MatMul(boolean transposeA, boolean transposeB) {
        this.transposeA = transposeA;
        this.transposeB = transposeB;
    }

    @Override
    public String label() {
        return "matmul";
    }

    @Override
    protected Tensor forward(Tensor... inputs) {
        a = inputs[0];
        b = inputs[1];
        gemm = a.kernels().gemm();
        Shape shape = GemmKernels.outputShape("matmul", a, transposeA, b, transposeB);
        Tensor y = a.emptyLike(shape);
        gemm.matmul(a, transposeA, b, transposeB, y, false);
        return y;
    }

    @Override
    protected boolean readsHalf(int input) {
        return input == 1;
    }

    @Override
    protected void backward(Tensor dy, Gradients gradients) {
        Shape batch = dy.shape().sub(0, dy.shape().rank() - 2);
        gradients.write(0, join(batch, a), (da, add) -> {
            if (transposeA) {
                gemm.matmul(b, transposeB, dy, true, da, add); // dA = B·dYᵀ
            } else {
                gemm.matmul(dy, false, b, !transposeB, da, add); // dA = dY·Bᵀ
            }
        });
        gradients.write(1, join(batch, b), (db, add) -> {
            if (transposeB) {
                gemm.matmul(dy, true, a, transposeA, db, add); // dB = dYᵀ·A
            } else {
                gemm.matmul(a, !transposeA, dy, false, db, add); // dB = Aᵀ·dY
            }
        });
    }

    /** The shape of an operand as the product read it: its own matrix under the batch of the result. */
    private static Shape join(Shape batch, Tensor operand) {
        return batch.append(operand.shape().get(-2), operand.shape().get(-1));
    }
}
