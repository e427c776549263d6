package io.gradus.core.safetensors;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.gradus.core.DType;
import io.gradus.core.Shape;
import io.gradus.core.Tensor;
import java.io.IOException;
import java.io.UncheckedIOException;
import org.junit.jupiter.api.Test;

class OneAtATimeTest {
    private final StreamedTensors tensors = new StreamedTensors();

    @Test
    void askingForTheNextTensorReleasesTheLast() {
        NamedTensor a = tensors.tensor("a", DType.F32, Shape.of(1), () -> Tensor.of(new float[] {1}, 1));
        NamedTensor b = tensors.tensor("b", DType.F32, Shape.of(1), () -> Tensor.of(new float[] {2}, 1));

        Tensor first = a.tensor().get();
        assertThat(first.toFloats()).containsExactly(1);
        assertThat(b.tensor().get().toFloats()).containsExactly(2);
        assertThatThrownBy(first::toFloats)
                .isInstanceOf(IllegalStateException.class)
                .hasMessageContaining("the next tensor was written");
    }

    @Test
    void failureToReadIsPropagated() {
        NamedTensor broken = tensors.tensor("a", DType.F32, Shape.of(1), () -> {
            throw new IOException("no such file");
        });

        assertThatThrownBy(broken.tensor()::get)
                .isInstanceOf(UncheckedIOException.class)
                .hasRootCauseMessage("no such file");
    }
}
