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
}
