package io.gradus.nn;

import static org.assertj.core.api.Assertions.assertThat;

import io.gradus.autograd.Variable;
import java.util.List;
import org.junit.jupiter.api.Test;

class RmsNormTest {
    /** Large enough that omitting it would change the result. */
    private static final double EPS = 0.1;

    @Test
    void forwardDividesByRootMeanSquareAndScales() {
        RmsNorm layer = Given.randomized(new RmsNorm(Given.weights(), 5, EPS));
        Variable x = Variable.parameter("x", Given.random(1, 2, 3, 5));
        Formula formula = v -> {
            double[] y = new double[v[0].length];
            for (int row = 0; row < y.length; row += 5) {
                double squares = 0;
                for (int i = 0; i < 5; i++) {
                    squares += v[0][row + i] * v[0][row + i];
                }
                for (int i = 0; i < 5; i++) {
                    y[row + i] = v[1][i] * v[0][row + i] / Math.sqrt(squares / 5 + EPS);
                }
            }
            return y;
        };
        formula.assertAgrees(
                () -> layer.forward(x), List.of(x, layer.parameters().getFirst()));
    }

    @Test
    void initialScaleIsOne() {
        RmsNorm layer = new RmsNorm(Given.weights().in("norm"), 5, EPS);
        assertThat(layer.namedParameters()).containsOnlyKeys("norm.weight");
        assertThat(layer.parameters().getFirst().value().toFloats())
                .containsOnly(1)
                .hasSize(5);
    }
}
