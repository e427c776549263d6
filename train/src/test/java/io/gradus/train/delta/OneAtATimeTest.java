package io.gradus.train.delta;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.gradus.core.DType;
import io.gradus.core.Shape;
import io.gradus.core.Tensor;
import io.gradus.core.safetensors.NamedTensor;
import java.io.IOException;
import java.io.UncheckedIOException;
import org.junit.jupiter.api.Test;

/** A tensor's memory goes back when the next one is asked for. */
class OneAtATimeTest {
    private final OneAtATime one = new OneAtATime();

    @Test
    void theLastTensorIsGivenBack() {
        NamedTensor a = one.tensor("a", DType.F32, Shape.of(1), () -> Tensor.of(new float[] {1}, 1));
        NamedTensor b = one.tensor("b", DType.F32, Shape.of(1), () -> Tensor.of(new float[] {2}, 1));

        Tensor first = a.tensor().get();
        assertThat(first.toFloats()).containsExactly(1);
        assertThat(b.tensor().get().toFloats()).containsExactly(2);
        assertThatThrownBy(first::toFloats)
                .isInstanceOf(IllegalStateException.class)
                .hasMessageContaining("the next tensor was written");
    }

    @Test
    void aFailureIsPassedOn() {
        NamedTensor broken = one.tensor("a", DType.F32, Shape.of(1), () -> {
            throw new IOException("no such file");
        });

        assertThatThrownBy(broken.tensor()::get)
                .isInstanceOf(UncheckedIOException.class)
                .hasRootCauseMessage("no such file");
    }
}
