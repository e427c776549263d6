package io.gradus.autograd.op;

import io.gradus.autograd.Gradients;
import io.gradus.autograd.Operation;
import io.gradus.core.Shape;
import io.gradus.core.Tensor;
import io.gradus.core.kernel.GemmKernels;

/**
 * {@code Y = A·B}, over the last two axes. Each operand may be read as its transpose, and the axes before them are a
 * batch.
 *
 * <p>One element is {@code yᵢⱼ = Σₖ aᵢₖ bₖⱼ}. So {@code ∂L/∂aᵢₖ = Σⱼ ∂L/∂yᵢⱼ · bₖⱼ}, or in matrices
 *
 * <pre>
 *   dA = dY·Bᵀ        dB = Aᵀ·dY
 * </pre>
 *
 * If an operand was read as its transpose, its gradient is the transpose of that: {@code d(Aᵀ) = (dA)ᵀ}, so for
 * {@code Y = Aᵀ·B}, {@code dA = B·dYᵀ}. The kernels read transposed operands without a copy. Many matrices times one
 * matrix is computed by {@link Linear}.
 */
public final class MatMul extends Operation {
    private final boolean transposeA;
    private final boolean transposeB;
    private Tensor a; // […, m, k], or […, k, m] if transposed
    private Tensor b; // […, k, n], or […, n, k] if transposed

    /** Creates the operation. */
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
        Shape shape = GemmKernels.outputShape("matmul", a, transposeA, b, transposeB);
        Tensor y = Results.of(shape, a, b);
        a.kernels().gemm().matmul(a, transposeA, b, transposeB, y, false);
        return y;
    }

    @Override
    protected boolean readsHalf(int input) {
        return input == 1;
    }

    @Override
    protected void backward(Tensor dy, Gradients gradients) {
        GemmKernels gemm = dy.kernels().gemm();
        Shape batch = dy.shape().sub(0, dy.shape().rank() - 2);
        gradients.write(0, broadcast(batch, a), (da, add) -> {
            if (transposeA) {
                gemm.matmul(b, transposeB, dy, true, da, add); // dA = B·dYᵀ
            } else {
                gemm.matmul(dy, false, b, !transposeB, da, add); // dA = dY·Bᵀ
            }
        });
        gradients.write(1, broadcast(batch, b), (db, add) -> {
            if (transposeB) {
                gemm.matmul(dy, true, a, transposeA, db, add); // dB = dYᵀ·A
            } else {
                gemm.matmul(a, !transposeA, dy, false, db, add); // dB = Aᵀ·dY
            }
        });
    }

    /** The shape that the product broadcast an operand to: the batch of the result, and the operand's own matrix. */
    private static Shape broadcast(Shape batch, Tensor operand) {
        return batch.append(operand.shape().get(-2), operand.shape().get(-1));
    }
}
