package io.gradus.autograd.op;

import io.gradus.core.MemoryCategory;
import io.gradus.core.Shape;
import io.gradus.core.Tensor;

/** Tensors for the results of operations. */
final class Results {
    private Results() {}

    /**
     * A result of several operands: of their dtype if it is the same, otherwise of F32. As in PyTorch, a scalar does not widen the
     * result of other operands.
     */
    static Tensor of(Shape shape, Tensor first, Tensor... others) {
        Tensor like = first;
        for (Tensor other : others) {
            if (like.shape().rank() == 0) {
                like = other;
            } else if (other.shape().rank() > 0 && other.dtype() != like.dtype()) {
                return exact(first, shape);
            }
        }
        return Tensor.empty(first.device(), like.dtype(), shape, MemoryCategory.ACTIVATIONS);
    }

    /** A result that is not rounded to 16 bits: a loss, a sum, a statistic of a row. */
    static Tensor exact(Tensor like, Shape shape) {
        return Tensor.empty(like.device(), like.dtype().computed(), shape, MemoryCategory.ACTIVATIONS);
    }
}
