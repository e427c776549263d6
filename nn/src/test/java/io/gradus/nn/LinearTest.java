package io.gradus.nn;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.gradus.autograd.Variable;
import io.gradus.core.Shape;
import io.gradus.core.ShapeException;
import java.util.List;
import org.junit.jupiter.api.Test;

class LinearTest {

    @Test
    void forwardIsTheProductPlusBias() {
        Linear layer = Given.randomized(new Linear(Given.weights(), 3, 5, true, Initializer.normal(1)));
        Variable x = Variable.parameter("x", Given.random(1, 2, 7, 3));
        assertThat(layer.forward(x).shape()).isEqualTo(Shape.of(2, 7, 5));
        Formula formula = v -> Formula.linear(v[0], 3, v[1], v[2]);
        formula.assertAgrees(() -> layer.forward(x), List.of(x, layer.weight(), layer.bias()));
    }

    @Test
    void forwardWithoutBiasIsTheProduct() {
        Linear layer = new Linear(Given.weights(), 3, 1, false, Initializer.normal(1));
        Variable x = Variable.parameter("x", Given.random(1, 1, 3));
        Formula formula = v -> Formula.linear(v[0], 3, v[1], new double[0]);
        formula.assertAgrees(() -> layer.forward(x), List.of(x, layer.weight()));
        assertThat(layer.bias()).isNull();
        assertThat(layer.namedParameters()).containsOnlyKeys("weight");
    }

    @Test
    void initialBiasIsZeroAndWeightIsOutByIn() {
        Linear layer = new Linear(Given.weights().in("up"), 3, 5, true, Initializer.ones());
        assertThat(layer.namedParameters()).containsOnlyKeys("up.weight", "up.bias");
        assertThat(layer.weight().shape()).isEqualTo(Shape.of(5, 3));
        assertThat(layer.bias().value().toFloats()).containsOnly(0).hasSize(5);
        assertThat(layer.weight().value().toFloats()).containsOnly(1);
    }

    @Test
    void inputOfAnotherWidthIsRejectedWithShapes() {
        Linear layer = new Linear(Given.weights(), 3, 5, true, Initializer.ones());
        Variable x = Variable.constant(Given.random(1, 2, 4));
        assertThatThrownBy(() -> layer.forward(x))
                .isInstanceOf(ShapeException.class)
                .hasMessageContaining("[2, 4]")
                .hasMessageContaining("[5, 3]");
    }
}
