package io.gradus.autograd.op;

import io.gradus.core.MemoryCategory;
import io.gradus.core.Shape;
import io.gradus.core.Tensor;

/** Scratch for one backward pass; whoever asks for it releases it. */
final class Workspace {
    private Workspace() {}

    /** An undefined tensor of another's device and dtype. */
    static Tensor like(Tensor other, Shape shape) {
        return Tensor.empty(other.device(), other.dtype(), shape, MemoryCategory.WORKSPACE);
    }
}
