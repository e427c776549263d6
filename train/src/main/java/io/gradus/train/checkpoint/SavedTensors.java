package io.gradus.train.checkpoint;

import io.gradus.core.Tensor;
import java.io.IOException;
import java.util.Set;

/** The tensors of a checkpoint besides the weights, which are read one at a time. */
public interface SavedTensors {
    /** The names of all tensors. */
    Set<String> names();

    /** Reads a tensor, which belongs to the current scope. */
    Tensor read(String name) throws IOException;

    /**
     * Reads a range of a tensor, which belongs to the current scope.
     *
     * @param from the first element, in row-major order
     * @param to the element after the range
     * @return a tensor with one axis
     */
    Tensor read(String name, long from, long to) throws IOException;
}
