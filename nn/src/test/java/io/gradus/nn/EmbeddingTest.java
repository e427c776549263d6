package io.gradus.nn;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.gradus.autograd.Variable;
import io.gradus.core.Shape;
import io.gradus.core.Tensor;
import java.util.List;
import org.junit.jupiter.api.Test;

class EmbeddingTest {
    private final Embedding layer = new Embedding(Given.weights(), 5, 3, Initializer.normal(1));

    @Test
    void forwardSelectsRowsAndGradientsOfRepeatedIdsAddUp() {
        int[] ids = {4, 0, 4, 2};
        Tensor tensor = Given.ids(2, ids);
        assertThat(layer.forward(tensor).shape()).isEqualTo(Shape.of(2, 2, 3));
        Formula formula = v -> {
            double[] rows = new double[ids.length * 3];
            for (int i = 0; i < rows.length; i++) {
                rows[i] = v[0][ids[i / 3] * 3 + i % 3];
            }
            return rows;
        };
        formula.assertAgrees(() -> layer.forward(tensor), List.of(layer.weight()));
        assertThat(layer.namedParameters()).containsOnlyKeys("weight");
    }

    @Test
    void idOutsideTheTableIsRejected() {
        assertThatThrownBy(() -> layer.forward(Given.ids(1, 5)))
                .isInstanceOf(RuntimeException.class)
                .hasMessageContaining("5");
    }

    @Test
    void paddingRowGetsNoGradientFromLookups() {
        Embedding padded = new Embedding(Given.weights(), 5, 3, Initializer.normal(1), 4);
        Variable table = padded.weight();
        padded.forward(Given.ids(1, 4, 0, 4, 2)).sum().backward();
        assertThat(table.grad().toDoubles()).containsExactly(1, 1, 1, 0, 0, 0, 1, 1, 1, 0, 0, 0, 0, 0, 0);
        table.multiply(2).sum().backward(); // as a tied output layer, which trains the row
        padded.forward(Given.ids(1, 4, 1)).sum().backward();
        assertThat(table.grad().toDoubles()).containsExactly(3, 3, 3, 3, 3, 3, 3, 3, 3, 2, 2, 2, 2, 2, 2);
        assertThat(padded).hasToString("Embedding(5, 3, padding_idx=4)");
    }
}
