package io.gradus.nn;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import io.gradus.autograd.Variable;
import io.gradus.core.DType;
import io.gradus.core.ShapeException;
import io.gradus.core.Tensor;
import java.util.List;
import org.junit.jupiter.api.Test;

class BatchNormTest {
    private final BatchNorm layer = new BatchNorm(Given.weights().in("bn"), 2, 1e-5);
    private final Variable x = Variable.constant(Tensor.of(new float[] {1, 10, 2, 20, 6, 30}, 3, 2));

    /** {@code torch.nn.BatchNorm1d(2)} on the same rows prints these numbers. */
    @Test
    void trainingNormalizesTheBatchAndMovesTheAverages() {
        layer.train();
        float[] y = layer.forward(x).value().toFloats();
        float[] torch = {-0.9258f, -1.2247f, -0.4629f, 0, 1.3887f, 1.2247f};
        for (int i = 0; i < y.length; i++) {
            assertThat(y[i]).isCloseTo(torch[i], within(1e-4f));
        }
        assertThat(averages()).containsExactly(0.3f, 2, 1.6f, 10.9f);
    }

    /** The derivative of the whole batch: the mean and the variance depend on each row. */
    @Test
    void gradientAgreesWithDifferenceQuotients() {
        BatchNorm norm = new BatchNorm(Given.weights(), 3, 0.1);
        norm.train();
        Variable rows = Variable.parameter("x", Given.random(1, 4, 3));
        Formula formula = v -> {
            double[] y = new double[12];
            for (int column = 0; column < 3; column++) {
                double mean = 0;
                double variance = 0;
                for (int row = 0; row < 4; row++) {
                    mean += v[0][3 * row + column] / 4;
                }
                for (int row = 0; row < 4; row++) {
                    variance += Math.pow(v[0][3 * row + column] - mean, 2) / 4;
                }
                for (int row = 0; row < 4; row++) {
                    y[3 * row + column] =
                            v[1][column] * (v[0][3 * row + column] - mean) / Math.sqrt(variance + 0.1) + v[2][column];
                }
            }
            return y;
        };
        List<Variable> parameters = norm.parameters();
        formula.assertAgrees(() -> norm.forward(rows), List.of(rows, parameters.get(0), parameters.get(1)));
    }

    @Test
    void evaluationUsesTheAveragesAndKeepsThem() {
        layer.train();
        layer.forward(x);
        layer.eval();
        float[] y = layer.forward(x).value().toFloats();
        assertThat(y[0]).isCloseTo((float) ((1 - 0.3) / Math.sqrt(1.6 + 1e-5)), within(1e-6f));
        assertThat(y[5]).isCloseTo((float) ((30 - 2) / Math.sqrt(10.9 + 1e-5)), within(1e-5f));
        assertThat(averages()).containsExactly(0.3f, 2, 1.6f, 10.9f);
    }

    private float[] averages() {
        List<Variable> parameters = layer.parameters();
        float[] mean = parameters.get(2).value().toFloats();
        float[] variance = parameters.get(3).value().toFloats();
        return new float[] {round(mean[0]), round(mean[1]), round(variance[0]), round(variance[1])};
    }

    private static float round(float number) {
        return Math.round(number * 1e5f) / 1e5f;
    }

    @Test
    void averagesAreParametersWithoutAGradientAndF32() {
        BatchNorm half = new BatchNorm(Given.weights().to(DType.BF16).in("bn"), 2, 1e-5);
        assertThat(half.namedParameters().keySet())
                .containsExactly("bn.weight", "bn.bias", "bn.running_mean", "bn.running_var");
        assertThat(half.parameters().stream().map(Variable::requiresGrad)).containsExactly(true, true, false, false);
        assertThat(half.parameters().getLast().value().dtype()).isEqualTo(DType.F32);
    }

    @Test
    void aSingleRowCannotBeTrainedOn() {
        layer.train();
        assertThatThrownBy(() -> layer.forward(Variable.constant(Tensor.of(new float[2], 1, 2))))
                .isInstanceOf(ShapeException.class)
                .hasMessageContainingAll("batchNorm", "at least two rows", "[1, 2]");
    }
}
