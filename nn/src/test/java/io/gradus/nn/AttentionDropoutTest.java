package io.gradus.nn;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import io.gradus.autograd.Variable;
import io.gradus.core.AttentionOptions;
import io.gradus.core.Tensor;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class AttentionDropoutTest {
    private static final double ALMOST_NEVER = 1e-12;

    private static AttentionDropout training(double p) {
        AttentionDropout layer = new AttentionDropout(p, 5);
        layer.train();
        layer.seedDropout(3, 0);
        return layer;
    }

    private static Variable variable(int place, long... shape) {
        return Variable.parameter("x" + place, Given.random(place, shape));
    }

    /** Result and gradients. */
    private static List<double[]> results(AttentionDropout layer, AttentionOptions options, long keys) {
        Variable q = variable(1, 2, 4, 6, 3);
        Variable k = variable(2, 2, keys, 2, 3);
        Variable v = variable(3, 2, keys, 2, 3);
        Variable y = layer.forward(q, k, v, options);
        y.multiply(Variable.constant(Given.random(4, 2, 4, 6, 3))).sum().backward();
        List<double[]> results = new ArrayList<>(List.of(y.value().toDoubles()));
        for (Variable input : List.of(q, k, v)) {
            results.add(input.grad().toDoubles());
        }
        return results;
    }

    @ParameterizedTest
    @CsvSource({
        "true, false, false, 4, 0, 0",
        "false, false, false, 4, 0, 0",
        "true, true, false, 4, 0, 0",
        "true, false, true, 4, 0, 0",
        "true, true, true, 6, 0, 0",
        "false, true, true, 7, 0, 0",
        "true, false, false, 4, 2, 0",
        "true, true, true, 6, 3, 0.7",
        "false, false, true, 7, 2, 0.4"
    })
    void withoutDroppingItIsAttention(
            boolean causal, boolean padding, boolean documents, int keys, int window, double softcap) {
        int[] mask = new int[2 * keys];
        for (int i = 0; i < mask.length; i++) {
            mask[i] = i % 4 == 1 || i == 0 ? 0 : 1; // the first query of the first row may see nothing
        }
        AttentionOptions options = new AttentionOptions(
                        causal,
                        padding ? Tensor.of(mask, 2, keys) : null,
                        0.7,
                        documents ? Given.ids(2, 0, 1, 1, 3, 0, 0, 2, 2) : null)
                .withWindow(window)
                .withSoftcap(softcap);
        AttentionDropout evaluated = new AttentionDropout(0.5, 0);
        List<double[]> expected = results(evaluated, options, keys);
        List<double[]> composed = results(training(ALMOST_NEVER), options, keys);
        for (int i = 0; i < expected.size(); i++) {
            assertThat(composed.get(i)).containsExactly(expected.get(i), within(2e-5));
        }
    }

    /** With equal scores and the identity for values, the result is the probabilities. */
    private static double[] probabilities(AttentionDropout layer, int rows, int length) {
        float[] identity = new float[rows * length * length];
        for (int row = 0; row < rows; row++) {
            for (int i = 0; i < length; i++) {
                identity[(row * length + i) * length + i] = 1;
            }
        }
        Variable zeros = Variable.constant(Tensor.of(new float[identity.length], rows, length, 1, length));
        Variable values = Variable.constant(Tensor.of(identity, rows, length, 1, length));
        return layer.forward(zeros, zeros, values, AttentionOptions.bidirectional(length))
                .value()
                .toDoubles();
    }

    @Test
    void probabilitiesAreDroppedOrScaledUp() {
        double[] kept = probabilities(training(0.25), 1, 64);
        long dropped = 0;
        for (double probability : kept) {
            dropped += probability == 0 ? 1 : 0;
            assertThat(probability == 0 || Math.abs(probability - 1.0 / 64 / 0.75) < 1e-8)
                    .isTrue();
        }
        assertThat(dropped / 4096.0).isCloseTo(0.25, within(0.03));
    }

    @Test
    void maskDependsOnRowCallAndSeed() {
        AttentionDropout layer = training(0.5);
        double[] first = probabilities(layer, 2, 16);
        double[] rows = new double[256];
        double[] other = new double[256];
        System.arraycopy(first, 0, rows, 0, 256);
        System.arraycopy(first, 256, other, 0, 256);
        assertThat(rows).isNotEqualTo(other);
        assertThat(probabilities(layer, 2, 16)).isNotEqualTo(first);
        layer.seedDropout(3, 0);
        assertThat(probabilities(layer, 2, 16)).isEqualTo(first);
        layer.seedDropout(4, 0);
        assertThat(probabilities(layer, 2, 16)).isNotEqualTo(first);
    }

    /** The result is linear in the values, so their gradient gives the result if it has the same mask. */
    @Test
    void gradientHasTheMaskOfTheForwardPass() {
        for (boolean checkpointed : new boolean[] {false, true}) {
            Variable v = variable(3, 2, 5, 2, 3);
            AttentionDropout layer = training(0.4);
            Variable q = Variable.constant(Given.random(1, 2, 5, 4, 3));
            Variable k = Variable.constant(Given.random(2, 2, 5, 2, 3));
            AttentionOptions options = AttentionOptions.causal(3);
            Variable y = checkpointed
                    ? v.checkpoint(values -> layer.forward(q, k, values, options))
                    : layer.forward(q, k, v, options);
            Variable sum = y.sum();
            sum.backward();
            double[] gradient = v.grad().toDoubles();
            double[] values = v.value().toDoubles();
            double product = 0;
            for (int i = 0; i < values.length; i++) {
                product += gradient[i] * values[i];
            }
            assertThat(product).isCloseTo(sum.item(), within(1e-4));
        }
    }

    @Test
    void probabilityOfOneGivesZeros() {
        assertThat(probabilities(training(1), 1, 4)).containsOnly(0);
        assertThatThrownBy(() -> new AttentionDropout(1.5, 0)).hasMessageContaining("p is 1.5");
    }
}
