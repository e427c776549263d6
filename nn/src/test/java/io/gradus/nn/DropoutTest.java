package io.gradus.nn;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import io.gradus.autograd.Variable;
import io.gradus.core.Tensor;
import java.util.Arrays;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class DropoutTest {
    private static final int SIZE = 40_000;

    private final Variable x = Variable.parameter("x", ones());

    private static Tensor ones() {
        float[] ones = new float[SIZE];
        Arrays.fill(ones, 1);
        return Tensor.of(ones, SIZE);
    }

    private static Dropout training(double p, long seed, int place) {
        Dropout layer = new Dropout(p, seed, place);
        layer.train();
        return layer;
    }

    private float[] apply(Dropout layer) {
        return layer.forward(x).value().toFloats();
    }

    @Test
    void evaluationIsTheIdentity() {
        assertThat(new Dropout(0.5, 1, 0).forward(x)).isSameAs(x);
        assertThat(training(0, 1, 0).forward(x)).isSameAs(x);
    }

    @Test
    void trainingZeroesAShareOfElementsAndScalesTheOthers() {
        Variable y = training(0.3, 1, 0).forward(x);
        float[] elements = y.value().toFloats();
        int zeros = 0;
        for (float element : elements) {
            assertThat(element).isIn(0f, (float) (1 / 0.7));
            zeros += element == 0 ? 1 : 0;
        }
        assertThat(zeros / (double) SIZE).isCloseTo(0.3, within(5 * Math.sqrt(0.3 * 0.7 / SIZE)));
        y.sum().backward();
        assertThat(x.grad().toFloats())
                .as("the gradient passes where the element did")
                .isEqualTo(elements);
    }

    @Test
    void maskDependsOnCallLayerAndSeed() {
        Dropout layer = training(0.5, 1, 0);
        float[] first = apply(layer);
        assertThat(apply(layer)).isNotEqualTo(first);
        assertThat(apply(training(0.5, 1, 1))).isNotEqualTo(first);
        assertThat(apply(training(0.5, 2, 0))).isNotEqualTo(first);
        assertThat(apply(training(0.5, 1, 0))).isEqualTo(first);
    }

    @Test
    void seedDropoutContinuesTheSequenceOfMasks() {
        Dropout layer = training(0.5, 1, 0);
        apply(layer);
        apply(layer);
        Dropout resumed = training(0.5, 1, 0);
        new Sequential(resumed).seedDropout(1, 2);
        assertThat(apply(resumed)).isEqualTo(apply(layer));
        resumed.seedDropout(9, 2);
        assertThat(apply(resumed)).isEqualTo(apply(training(0.5, 9, 0), 2));
    }

    private float[] apply(Dropout layer, int calls) {
        layer.seedDropout(9, calls);
        return apply(layer);
    }

    @Test
    void probabilityOfOneGivesZeros() {
        assertThat(apply(training(1, 1, 0))).containsOnly(0);
    }

    @Test
    void evaluationDoesNotCountCalls() {
        Dropout layer = training(0.5, 1, 0);
        layer.eval();
        apply(layer);
        layer.train();
        assertThat(apply(layer)).isEqualTo(apply(training(0.5, 1, 0)));
    }

    @ParameterizedTest
    @ValueSource(doubles = {-0.1, 1.5, Double.NaN})
    void probabilityOutOfRangeIsRejected(double p) {
        assertThatThrownBy(() -> new Dropout(p, 1, 0))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("dropout: p is " + p);
    }
}
