package io.gradus.core.kernel;

import io.gradus.core.Shape;
import io.gradus.core.ShapeException;
import io.gradus.core.Tensor;

/** General matrix products. */
public interface GemmKernels {

    /**
     * {@code out (+)= op(a) · op(b)} over the last two axes, where op transposes them when its flag is set. The axes before
     * them are a batch and broadcast: {@code [2, 1, 4, 5] · [3, 5, 6]} is {@code [2, 3, 4, 6]}.
     *
     * @param out of the shape that {@link #outputShape} gives; not the memory of an operand
     * @param accumulate whether to add to {@code out}
     */
    void matmul(Tensor a, boolean transposeA, Tensor b, boolean transposeB, Tensor out, boolean accumulate);

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
        Checks.computable("matmul", a, b, out);
        Checks.shape("matmul", out, outputShape(a.shape(), transposeA, b.shape(), transposeB));
    }
}
