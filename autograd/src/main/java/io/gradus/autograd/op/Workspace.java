package io.gradus.autograd.op;

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
}
