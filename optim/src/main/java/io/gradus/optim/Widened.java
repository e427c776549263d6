package io.gradus.optim;

import io.gradus.core.MemoryCategory;
import io.gradus.core.Tensor;

/**
 * A tensor as kernels compute on it: one of 16 bits is converted for as long as this is open, any other is itself. One
 * conversion for all optimisers, on all devices, at the price of one F32 copy of one gradient at a time.
 */
record Widened(Tensor tensor, boolean isCopy) implements AutoCloseable {

    static Widened of(Tensor tensor) {
        return tensor.dtype().isHalf()
                ? new Widened(tensor.to(tensor.device(), tensor.dtype().computed(), MemoryCategory.WORKSPACE), true)
                : new Widened(tensor, false);
    }

    @Override
    public void close() {
        if (isCopy) {
            tensor.release();
        }
    }
}
