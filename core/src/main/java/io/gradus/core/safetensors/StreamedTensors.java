package io.gradus.core.safetensors;

import io.gradus.core.DType;
import io.gradus.core.Shape;
import io.gradus.core.Tensor;
import java.io.IOException;
import java.io.UncheckedIOException;
import org.jspecify.annotations.Nullable;

/**
 * Tensors that are created when the writer of a file asks for them and released when it asks for the next one, so that only
 * one of them is in memory at a time.
 */
public final class StreamedTensors {
    private @Nullable Tensor last;

    /** Creates a tensor, usually from another file. */
    @FunctionalInterface
    public interface Source {
        Tensor read() throws IOException;
    }

    /** A tensor that is created when it is written. */
    public NamedTensor tensor(String name, DType dtype, Shape shape, Source source) {
        return new NamedTensor(name, dtype, shape, () -> {
            if (last != null) {
                last.release("the next tensor was written");
            }
            try {
                Tensor tensor = source.read();
                last = tensor;
                return tensor;
            } catch (IOException e) {
                throw new UncheckedIOException(e);
            }
        });
    }
}
