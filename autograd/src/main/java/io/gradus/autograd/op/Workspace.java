package io.gradus.autograd.op;

import io.gradus.core.DType;
import io.gradus.core.MemoryCategory;
import io.gradus.core.Shape;
import io.gradus.core.Tensor;

/** Scratch memory; the caller releases it. */
final class Workspace {
    private Workspace() {}

    /** A tensor with undefined elements, of the device and dtype of another. */
    static Tensor like(Tensor other, Shape shape) {
        return Tensor.empty(other.device(), other.dtype(), shape, MemoryCategory.WORKSPACE);
    }

    /** An I32 tensor with undefined elements, for the result of a comparison. */
    static Tensor condition(Tensor other, Shape shape) {
        return Tensor.empty(other.device(), DType.I32, shape, MemoryCategory.WORKSPACE);
    }

    /** A scalar of the device and dtype of another tensor. */
    static Tensor scalar(Tensor other, double value) {
        return Tensor.full(other.device(), other.dtype(), Shape.scalar(), value, MemoryCategory.WORKSPACE);
    }
}
