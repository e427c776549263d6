package io.gradus.nn;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import io.gradus.autograd.Variable;
import io.gradus.core.Tensor;
import java.util.List;
import org.junit.jupiter.api.Test;

class LayerNormTest {
    /** Large enough that omitting it would change the result. */
    private static final double EPS = 0.1;

    @Test
    void forwardNormalizesScalesAndShifts() {
        LayerNorm layer = Given.randomized(new LayerNorm(Given.weights(), 5, EPS));
        List<Variable> parameters = layer.parameters();
        Variable x = Variable.parameter("x", Given.random(1, 2, 3, 5));
        Formula formula = v -> {
            double[] y = new double[v[0].length];
            for (int row = 0; row < y.length; row += 5) {
                double mean = 0;
                double variance = 0;
                for (int i = 0; i < 5; i++) {
                    mean += v[0][row + i] / 5;
                }
                for (int i = 0; i < 5; i++) {
                    variance += Math.pow(v[0][row + i] - mean, 2) / 5;
                }
                for (int i = 0; i < 5; i++) {
                    y[row + i] = v[1][i] * (v[0][row + i] - mean) / Math.sqrt(variance + EPS) + v[2][i];
                }
            }
            return y;
        };
        formula.assertAgrees(() -> layer.forward(x), List.of(x, parameters.get(0), parameters.get(1)));
    }

    @Test
    void withoutBiasItDoesNotShift() {
        LayerNorm layer = Given.randomized(new LayerNorm(Given.weights(), 2, EPS, false));
        assertThat(layer.namedParameters().keySet()).containsExactly("weight");
        float[] weight = layer.parameters().getFirst().value().toFloats();
        float[] y = layer.forward(Variable.constant(Tensor.of(new float[] {1, 3}, 2)))
                .value()
                .toFloats(); // mean 2, variance 1
        assertThat(y[0]).isCloseTo((float) (-weight[0] / Math.sqrt(1 + EPS)), within(1e-6f));
        assertThat(y[1]).isCloseTo((float) (weight[1] / Math.sqrt(1 + EPS)), within(1e-6f));
    }

    @Test
    void initialScaleIsOneAndShiftIsZero() {
        LayerNorm layer = new LayerNorm(Given.weights().in("norm"), 5, EPS);
        assertThat(layer.namedParameters().keySet()).containsExactly("norm.weight", "norm.bias");
        assertThat(layer.parameters().get(0).value().toFloats()).containsOnly(1).hasSize(5);
        assertThat(layer.parameters().get(1).value().toFloats()).containsOnly(0).hasSize(5);
    }
}
