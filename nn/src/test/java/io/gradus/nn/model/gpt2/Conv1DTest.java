package io.gradus.nn.model.gpt2;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.gradus.autograd.Variable;
import io.gradus.core.Shape;
import io.gradus.core.ShapeException;
import io.gradus.nn.Formula;
import io.gradus.nn.Given;
import io.gradus.nn.Initializer;
import java.util.List;
import org.junit.jupiter.api.Test;

class Conv1DTest {

    @Test
    void forwardIsTheProductPlusBias() {
        Conv1D layer = Given.randomized(new Conv1D(Given.weights(), 3, 5, Initializer.normal(1)));
        Variable x = Variable.parameter("x", Given.random(1, 2, 7, 3));
        assertThat(layer.forward(x).shape()).isEqualTo(Shape.of(2, 7, 5));
        Formula formula = v -> Formula.linear(v[0], 3, Formula.transposed(v[1], 5), v[2]);
        formula.assertAgrees(() -> layer.forward(x), List.of(x, layer.weight(), layer.bias()));
    }

    @Test
    void initialBiasIsZeroAndWeightIsInByOut() {
        Conv1D layer = new Conv1D(Given.weights().in("c_fc"), 3, 5, Initializer.ones());
        assertThat(layer.namedParameters()).containsOnlyKeys("c_fc.weight", "c_fc.bias");
        assertThat(layer.weight().shape()).isEqualTo(Shape.of(3, 5));
        assertThat(layer.bias().value().toFloats()).containsOnly(0).hasSize(5);
        assertThat(layer.weight().value().toFloats()).containsOnly(1);
    }

    @Test
    void inputOfAnotherWidthIsRejectedWithShapes() {
        Conv1D layer = new Conv1D(Given.weights(), 3, 5, Initializer.ones());
        Variable x = Variable.constant(Given.random(1, 2, 4));
        assertThatThrownBy(() -> layer.forward(x))
                .isInstanceOf(ShapeException.class)
                .hasMessageContaining("[2, 4]")
                .hasMessageContaining("[3, 5]");
    }
}
