package io.gradus.nn;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import io.gradus.autograd.Variable;
import io.gradus.core.Shape;
import java.util.Arrays;
import org.junit.jupiter.api.Test;

class MlpTest {

    @Test
    void forwardIsLinearLayersWithReluBetween() {
        Mlp mlp = Given.randomized(new Mlp(Given.weights(), true, 3, 4, 5, 2));
        Variable x = Variable.constant(Given.random(1, 7, 3));
        Variable expected = x;
        for (Linear layer : mlp.layers()) {
            boolean last = layer == mlp.layers().getLast();
            expected = expected.matmul(layer.weight(), false, true).add(layer.bias());
            expected = last ? expected : expected.relu();
        }
        Variable y = mlp.forward(x);
        assertThat(y.shape()).isEqualTo(Shape.of(7, 2));
        assertThat(y.value().toFloats()).containsExactly(expected.value().toFloats(), within(1e-6f));
        assertThat(Arrays.stream(y.value().toDoubles()).min().orElseThrow())
                .as("the last layer has no ReLU")
                .isNegative();
    }

    @Test
    void everyLayerReceivesAGradient() {
        Mlp mlp = new Mlp(Given.weights(), true, 3, 4, 2);
        mlp.forward(Variable.constant(Given.random(1, 7, 3))).pow(2).sum().backward();
        assertThat(mlp.parameters())
                .allSatisfy(p -> assertThat(p.grad().toDoubles()).matches(Given::isNotZero));
    }

    @Test
    void layersHaveIndexedNamesAndTheGivenWidths() {
        Mlp mlp = new Mlp(Given.weights(), false, 40, 30, 40, 40);
        assertThat(mlp.namedParameters().keySet())
                .containsExactly("layers.0.weight", "layers.1.weight", "layers.2.weight");
        assertThat(mlp.layers())
                .extracting(layer -> layer.weight().shape())
                .containsExactly(Shape.of(30, 40), Shape.of(40, 30), Shape.of(40, 40));
        assertThat(mlp.parameterCount()).isEqualTo(40 * 30 + 30 * 40 + 40 * 40);
    }

    @Test
    void singleWidthIsRejected() {
        assertThatThrownBy(() -> new Mlp(Given.weights(), true, 3))
                .hasMessageContaining("an input and an output width");
    }
}
