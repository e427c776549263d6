package io.gradus.core.kernel;

import io.gradus.core.Shape;
import io.gradus.core.ShapeException;
import io.gradus.core.Tensor;
import org.jspecify.annotations.Nullable;

/** General matrix products. */
public interface GemmKernels {

    /**
     * {@code out (+)= op(a) · op(b)} over the last two axes, where op transposes them when its flag is set. The axes before
     * them are a batch and broadcast: {@code [2, 1, 4, 5] · [3, 5, 6]} is {@code [2, 3, 4, 6]}.
     *
     * @param a F32, BF16 or F16, and so is {@code b}; sums are F32, as {@code out} is (on the reference all are F64)
     * @param out of the shape that {@link #outputShape} gives; not the memory of an operand
     * @param accumulate whether to add to {@code out}
     */
    void matmul(Tensor a, boolean transposeA, Tensor b, boolean transposeB, Tensor out, boolean accumulate);

    /**
     * What is done to the elements of a product while they are at hand: {@code activation(product + bias)}.
     *
     * @param bias {@code [n]}, added to each row; or null
     * @param activation GELU, GELU_TANH, SILU or any other function; or null
     */
    record Epilogue(@Nullable Tensor bias, ElementwiseKernels.@Nullable Unary activation) {}

    /**
     * {@code out = epilogue(op(a) · op(b))}, operands and shapes as in {@link #matmul(Tensor, boolean, Tensor, boolean,
     * Tensor, boolean)}. Without a better way it is the three kernels in turn.
     */
    default void matmul(Tensor a, boolean transposeA, Tensor b, boolean transposeB, Epilogue epilogue, Tensor out) {
        checkBias(epilogue, out);
        matmul(a, transposeA, b, transposeB, out, false);
        ElementwiseKernels elementwise = out.backend().elementwise();
        if (epilogue.bias != null) {
            elementwise.affine(epilogue.bias, 1, 0, out, true);
        }
        if (epilogue.activation != null) {
            elementwise.unary(epilogue.activation, out, out);
        }
    }

    /** That a bias has one element per column of the result. */
    static void checkBias(Epilogue epilogue, Tensor out) {
        if (epilogue.bias != null) {
            Checks.computable("matmul", out, epilogue.bias);
            Checks.shape("matmul: bias", epilogue.bias, Shape.of(out.shape().get(-1)));
        }
    }

    /**
     * The shape of a product.
     *
     * @throws ShapeException when an operand has fewer than two axes, the inner dimensions differ, or the batches do not
     *     broadcast
     */
    static Shape outputShape(Shape a, boolean transposeA, Shape b, boolean transposeB) {
        if (a.rank() < 2 || b.rank() < 2) {
            throw new ShapeException(
                    "matmul", "an operand has fewer than two axes", "reshape a vector to [1, n]", a, b);
        }
        long inner = a.get(transposeA ? -2 : -1);
        if (inner != b.get(transposeB ? -1 : -2)) {
            throw new ShapeException(
                    "matmul",
                    "inner dimensions differ" + (transposeA ? " (first transposed)" : "")
                            + (transposeB ? " (second transposed)" : ""),
                    "transpose an operand, or check the layer's sizes",
                    a,
                    b);
        }
        Shape batch = Shape.broadcast("matmul", a.sub(0, a.rank() - 2), b.sub(0, b.rank() - 2));
        return batch.append(a.get(transposeA ? -1 : -2), b.get(transposeB ? -2 : -1));
    }

    /** The checks that every implementation begins with. */
    static void check(Tensor a, boolean transposeA, Tensor b, boolean transposeB, Tensor out) {
        Checks.readable("matmul", a, out);
        Checks.readable("matmul", b, out);
        Checks.shape("matmul", out, outputShape(a.shape(), transposeA, b.shape(), transposeB));
    }
}
