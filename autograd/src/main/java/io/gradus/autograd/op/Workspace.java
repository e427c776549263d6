package io.gradus.autograd.op;

import io.gradus.core.DType;
import io.gradus.core.MemoryCategory;
import io.gradus.core.Shape;
import io.gradus.core.Tensor;

/** Scratch memory; the caller releases it. */
final class Workspace {
    private Workspace() {}

    /** A tensor with undefined elements on the device of another, not rounded to 16 bits. */
    static Tensor like(Tensor other, Shape shape) {
        return Tensor.empty(other.device(), other.dtype().computed(), shape, MemoryCategory.WORKSPACE);
    }

    /** An I32 tensor with undefined elements, for the result of a comparison. */
    static Tensor condition(Tensor other, Shape shape) {
        return Tensor.empty(other.device(), DType.I32, shape, MemoryCategory.WORKSPACE);
    }

    /** A scalar on the device of another tensor, not rounded to 16 bits. */
    static Tensor scalar(Tensor other, double value) {
        return Tensor.full(other.device(), other.dtype().computed(), Shape.scalar(), value, MemoryCategory.WORKSPACE);
    }
}
