package io.gradus.gpu.runtime;

import io.gradus.core.DType;
import io.gradus.core.MemoryCategory;
import io.gradus.core.Shape;
import io.gradus.core.Tensor;

/** A temporary tensor of one operation, released by {@link #close}. */
public record Workspace(Tensor tensor) implements AutoCloseable {

    /** A workspace on the device of another tensor; its elements are undefined. */
    public static Workspace of(Tensor neighbor, DType dtype, Shape shape) {
        return new Workspace(Tensor.empty(neighbor.device(), dtype, shape, MemoryCategory.WORKSPACE));
    }

    @Override
    public void close() {
        tensor.release();
    }
}
