package io.gradus.train.delta;

import io.gradus.core.DType;
import io.gradus.core.Shape;
import io.gradus.core.Tensor;
import io.gradus.core.safetensors.NamedTensor;
import java.io.IOException;
import java.io.UncheckedIOException;
import org.jspecify.annotations.Nullable;

/**
 * Tensors that are made when a file asks for them and given back when it asks for the next: a file is written with one of
 * them in memory.
 */
public final class OneAtATime {
    private @Nullable Tensor last;

    /** Makes a tensor from files. */
    @FunctionalInterface
    public interface Maker {
        Tensor make() throws IOException;
    }

    /** A tensor that is made when it is its turn. */
    public NamedTensor tensor(String name, DType dtype, Shape shape, Maker maker) {
        return new NamedTensor(name, dtype, shape, () -> {
            if (last != null) {
                last.release("the next tensor was written");
            }
            try {
                Tensor made = maker.make();
                last = made;
                return made;
            } catch (IOException e) {
                throw new UncheckedIOException(e);
            }
        });
    }
}
