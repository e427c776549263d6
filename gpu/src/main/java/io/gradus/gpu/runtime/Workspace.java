package io.gradus.gpu.runtime;

import io.gradus.core.DType;
import io.gradus.core.MemoryCategory;
import io.gradus.core.Shape;
import io.gradus.core.Tensor;

/** A tensor for the time of one operation, given back at its end however that comes. */
public record Workspace(Tensor tensor) implements AutoCloseable {

    /** Elements undefined, on the device of another tensor. */
    public static Workspace of(Tensor beside, DType dtype, Shape shape) {
        return new Workspace(Tensor.empty(beside.device(), dtype, shape, MemoryCategory.WORKSPACE));
    }

    @Override
    public void close() {
        tensor.release();
    }
}
