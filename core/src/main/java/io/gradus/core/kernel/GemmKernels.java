package io.gradus.core.kernel;

import io.gradus.core.DType;
import io.gradus.core.MemoryCategory;
import io.gradus.core.Shape;
import io.gradus.core.ShapeException;
import io.gradus.core.Tensor;
import org.jspecify.annotations.Nullable;

/** Matrix products. */
public interface GemmKernels {

    /**
     * {@code out (+)= op(a) · op(b)} over the last two axes, where op transposes them when its flag is set. The axes before
     * them are a batch and broadcast: {@code [2, 1, 4, 5] · [3, 5, 6]} is {@code [2, 3, 4, 6]}.
     *
     * @param a F32, BF16 or F16, as are {@code b} and {@code out}; sums are F32 (on the reference all are F64)
     * @param out of the shape given by {@link #outputShape}, each element rounded once if it has 16 bits; must not share memory with an
     *     operand
     * @param accumulate whether to add to {@code out}
     */
    void matmul(Tensor a, boolean transposeA, Tensor b, boolean transposeB, Tensor out, boolean accumulate);

    /**
     * A function applied to each element of a product as it is computed: {@code activation(product + bias)}.
     *
     * @param bias {@code [n]} in F32, added to each row; or null
     * @param activation or null
     */
    record Epilogue(@Nullable Tensor bias, ElementwiseKernels.@Nullable Unary activation) {}

    /**
     * {@code out = epilogue(op(a) · op(b))}, with operands and shapes as in {@link #matmul(Tensor, boolean, Tensor, boolean,
     * Tensor, boolean)}. The default implementation runs three kernels, and one more that rounds the result to 16 bits.
     */
    default void matmul(Tensor a, boolean transposeA, Tensor b, boolean transposeB, Epilogue epilogue, Tensor out) {
        if (out.dtype().isHalf()) {
            Tensor floats = Tensor.empty(out.device(), DType.F32, out.shape(), MemoryCategory.WORKSPACE);
            matmul(a, transposeA, b, transposeB, epilogue, floats);
            out.kernels().cast().cast(floats, out);
            floats.release();
            return;
        }
        matmul(a, transposeA, b, transposeB, out, false);
        ElementwiseKernels elementwise = out.kernels().elementwise();
        if (epilogue.bias != null) {
            elementwise.affine(epilogue.bias, 1, 0, out, true);
        }
        if (epilogue.activation != null) {
            elementwise.unary(epilogue.activation, out, out);
        }
    }

    /**
     * The shape of a product.
     *
     * @param operation the name to give in the error
     * @throws ShapeException when an operand has fewer than two axes, the inner axes differ in length, or the batches do
     *     not broadcast
     */
    static Shape outputShape(String operation, Tensor a, boolean transposeA, Tensor b, boolean transposeB) {
        Shape left = a.shape();
        Shape right = b.shape();
        if (left.rank() < 2 || right.rank() < 2) {
            throw new ShapeException(
                    operation, "an operand has fewer than two axes", "reshape a vector to [1, n] or [n, 1]", a, b);
        }
        long inner = left.get(transposeA ? -2 : -1);
        long other = right.get(transposeB ? -1 : -2);
        if (inner != other) {
            throw new ShapeException(
                    operation,
                    "inner axes differ, " + inner + " and " + other
                            + (transposeA ? " (first transposed)" : "")
                            + (transposeB ? " (second transposed)" : ""),
                    "transpose an operand, or check the layer's sizes",
                    a,
                    b);
        }
        Shape batch;
        try {
            batch = Shape.broadcast(operation, left.sub(0, left.rank() - 2), right.sub(0, right.rank() - 2));
        } catch (ShapeException e) {
            throw new ShapeException(
                    operation,
                    "batch axes do not broadcast",
                    "all axes but the last two must be equal or 1, aligned at the right",
                    a,
                    b);
        }
        return batch.append(left.get(transposeA ? -1 : -2), right.get(transposeB ? -2 : -1));
    }
}
