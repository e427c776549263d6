package io.gradus.nn;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import io.gradus.autograd.Variable;
import io.gradus.core.Shape;
import java.util.Arrays;
import java.util.DoubleSummaryStatistics;
import org.junit.jupiter.api.Test;

/** The defaults are those of {@code torch.nn}: see the {@code reset_parameters} method of each layer. */
class DefaultInitializationTest {

    private static DoubleSummaryStatistics elements(Variable parameter) {
        return Arrays.stream(parameter.value().toDoubles()).summaryStatistics();
    }

    private static double standardDeviation(Variable parameter) {
        double mean = elements(parameter).getAverage();
        return Math.sqrt(Arrays.stream(parameter.value().toDoubles())
                .map(element -> (element - mean) * (element - mean))
                .average()
                .orElseThrow());
    }

    @Test
    void linearWeightAndBiasAreUniformWithinOneOverSquareRootOfFanIn() {
        Linear layer = new Linear(100, 400);
        assertThat(layer.weight().shape()).isEqualTo(Shape.of(400, 100));
        for (Variable parameter : layer.parameters()) {
            assertThat(elements(parameter).getMin()).isBetween(-0.1, -0.095);
            assertThat(elements(parameter).getMax()).isBetween(0.095, 0.1);
            assertThat(elements(parameter).getAverage()).isCloseTo(0, within(0.01));
            assertThat(standardDeviation(parameter)).isCloseTo(0.1 / Math.sqrt(3), within(0.004));
        }
        assertThat(new Linear(4, 2, false).bias()).isNull();
    }

    @Test
    void embeddingIsStandardNormal() {
        Variable weight = new Embedding(200, 100).weight();
        assertThat(weight.shape()).isEqualTo(Shape.of(200, 100));
        assertThat(elements(weight).getAverage()).isCloseTo(0, within(0.02));
        assertThat(standardDeviation(weight)).isCloseTo(1, within(0.02));
    }

    @Test
    void normsStartAsPlainNormalization() {
        Variable x = Variable.constant(Given.random(1, 2, 3));
        var norm = new LayerNorm(3).namedParameters();
        assertThat(norm.get("weight").value().toFloats()).containsExactly(1, 1, 1);
        assertThat(norm.get("bias").value().toFloats()).containsExactly(0, 0, 0);
        assertThat(new RmsNorm(3).namedParameters().get("weight").value().toFloats())
                .containsExactly(1, 1, 1);
        double[] row = Arrays.copyOf(new RmsNorm(3).forward(x).value().toDoubles(), 3);
        assertThat(Arrays.stream(row).map(element -> element * element).sum()).isCloseTo(3, within(1e-4));
    }

    // ---- the default generator ----

    @Test
    void manualSeedRepeatsTheSequenceOfParameters() {
        WeightSource.manualSeed(5);
        float[] first = new Linear(3, 3).weight().value().toFloats();
        float[] second = new Linear(3, 3).weight().value().toFloats();
        assertThat(second).isNotEqualTo(first);
        WeightSource.manualSeed(5);
        assertThat(new Linear(3, 3).weight().value().toFloats()).isEqualTo(first);
        assertThat(new Linear(3, 3).weight().value().toFloats()).isEqualTo(second);
        WeightSource.manualSeed(6);
        assertThat(new Linear(3, 3).weight().value().toFloats()).isNotEqualTo(first);
    }

    @Test
    void dropoutLayersOfTheDefaultGeneratorDropDifferentElementsAndRepeatAfterManualSeed() {
        WeightSource.manualSeed(5);
        float[] first = dropped(new Dropout(0.5));
        assertThat(dropped(new Dropout(0.5))).isNotEqualTo(first);
        WeightSource.manualSeed(5);
        assertThat(dropped(new Dropout(0.5))).isEqualTo(first);
        assertThatThrownBy(() -> new Dropout(2)).hasMessageContaining("p is 2.0");
    }

    private static float[] dropped(Dropout layer) {
        layer.train();
        return layer.forward(Variable.constant(Given.random(1, 64))).value().toFloats();
    }
}
