package io.gradus.nn;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import io.gradus.autograd.Variable;
import io.gradus.core.Shape;
import io.gradus.core.Tensor;
import java.util.Arrays;
import org.junit.jupiter.api.Test;

class LstmTest {
    private final Lstm layer = new Lstm(Given.weights().in("rnn"), 3, 5, null);

    /** PyTorch's results are compared where the operation is tested; this is the same network from the formulas. */
    @Test
    void hiddenStatesFollowTheEquations() {
        Variable x = Variable.constant(Given.random(1, 4, 1, 3));
        float[] inputs = x.value().toFloats();
        float[][] w = layer.parameters().stream()
                .map(parameter -> parameter.value().toFloats())
                .toArray(float[][]::new);
        double[] h = new double[5];
        double[] c = new double[5];
        float[] actual = layer.forward(x, null).hidden().value().toFloats();
        for (int step = 0; step < 4; step++) {
            double[] sums = new double[20];
            for (int gate = 0; gate < 20; gate++) {
                sums[gate] = w[2][gate] + w[3][gate];
                for (int i = 0; i < 3; i++) {
                    sums[gate] += w[0][gate * 3 + i] * inputs[step * 3 + i];
                }
                for (int i = 0; i < 5; i++) {
                    sums[gate] += w[1][gate * 5 + i] * h[i];
                }
            }
            for (int unit = 0; unit < 5; unit++) {
                c[unit] = sigmoid(sums[5 + unit]) * c[unit] + sigmoid(sums[unit]) * Math.tanh(sums[10 + unit]);
                h[unit] = sigmoid(sums[15 + unit]) * Math.tanh(c[unit]);
                assertThat((double) actual[step * 5 + unit]).isCloseTo(h[unit], within(1e-6));
            }
        }
    }

    private static double sigmoid(double x) {
        return 1 / (1 + Math.exp(-x));
    }

    @Test
    void twoCallsWithTheStateBetweenThemAreOne() {
        Tensor x = Given.random(1, 6, 2, 3);
        float[] whole =
                layer.forward(Variable.constant(x), null).hidden().value().toFloats();
        Lstm.Output first = layer.forward(Variable.constant(x.slice(0, 4)), null);
        Lstm.Output second = layer.forward(Variable.constant(x.slice(4, 6)), first.state());
        assertThat(second.hidden().value().toFloats()).isEqualTo(Arrays.copyOfRange(whole, 4 * 2 * 5, 6 * 2 * 5));
    }

    @Test
    void parametersHaveTheNamesAndShapesOfPyTorch() {
        assertThat(layer.namedParameters().keySet())
                .containsExactly("rnn.weight_ih_l0", "rnn.weight_hh_l0", "rnn.bias_ih_l0", "rnn.bias_hh_l0");
        assertThat(layer.parameters().stream().map(Variable::shape))
                .containsExactly(Shape.of(20, 3), Shape.of(20, 5), Shape.of(20), Shape.of(20));
        for (double weight : layer.parameters().getFirst().value().toDoubles()) {
            assertThat(weight).isBetween(-Math.sqrt(0.2), Math.sqrt(0.2));
        }
        assertThat(layer).hasToString("Lstm(3, 5)");
    }

    @Test
    void droppedWeightsAreTheSameInAllStepsAndOtherInOtherCalls() {
        Lstm dropping = new Lstm(Given.weights(), 3, 5, new Dropout(0.5, 3, 1));
        Variable x = Variable.constant(Tensor.of(new float[4 * 3], 4, 1, 3));
        float[] whole = dropping.forward(x, null).hidden().value().toFloats();
        dropping.train();
        dropping.seedDropout(9, 0);
        float[] dropped = dropping.forward(x, null).hidden().value().toFloats();
        float[] other = dropping.forward(x, null).hidden().value().toFloats();
        dropping.seedDropout(9, 0);
        float[] again = dropping.forward(x, null).hidden().value().toFloats();
        assertThat(dropped).isNotEqualTo(whole).isNotEqualTo(other).isEqualTo(again);
        assertThat(Arrays.copyOf(dropped, 5))
                .as("the first step has no state to multiply")
                .isEqualTo(Arrays.copyOf(whole, 5));
    }
}
