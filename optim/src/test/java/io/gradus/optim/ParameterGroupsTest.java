package io.gradus.optim;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import io.gradus.autograd.Variable;
import io.gradus.core.Tensor;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Weight decay for matrices, learning rates by depth, and rejected groups. */
class ParameterGroupsTest {
    private final Variable matrix = Variable.parameter("fc.weight", Tensor.of(new float[6], 2, 3));
    private final Variable filter = Variable.parameter("conv.weight", Tensor.of(new float[8], 2, 2, 2));
    private final Variable bias = TestParameters.parameter("fc.bias", 1, 2);
    private final Variable scalar = Variable.parameter("scale", Tensor.of(new float[1]));

    @Test
    void matricesDecayButBiasesAndNormWeightsDoNot() {
        assertThat(ParameterGroups.withWeightDecay(List.of(bias, matrix, scalar, filter), 0.1))
                .containsExactly(
                        new ParameterGroup("decay", List.of(matrix, filter), 1, 0.1),
                        new ParameterGroup("no_decay", List.of(bias, scalar), 1, 0));
    }

    @Test
    void emptyGroupIsOmitted() {
        assertThat(ParameterGroups.withWeightDecay(List.of(matrix), 0.1))
                .extracting(ParameterGroup::name)
                .containsExactly("decay");
        assertThat(ParameterGroups.withWeightDecay(List.of(bias), 0.1))
                .extracting(ParameterGroup::name)
                .containsExactly("no_decay");
    }

    private static final List<Variable> LLAMA = List.of(
            Variable.parameter("model.embed_tokens.weight", Tensor.of(new float[20], 10, 2)),
            Variable.parameter("model.layers.0.mlp.up_proj.weight", Tensor.of(new float[6], 3, 2)),
            TestParameters.parameter("model.layers.0.input_layernorm.weight", 1, 1),
            Variable.parameter("model.layers.1.mlp.up_proj.weight", Tensor.of(new float[6], 3, 2)),
            TestParameters.parameter("model.norm.weight", 1, 1));

    @Test
    void discriminativeRatesFallByXiFromTheTop() {
        List<ParameterGroup> groups =
                ParameterGroups.discriminative(LLAMA, LayerDepth.of(LLAMA), ParameterGroups.XI, 0.1);
        assertThat(groups)
                .extracting(ParameterGroup::name)
                .containsExactly("depth 0", "depth 1", "depth 1, no decay", "depth 2", "depth 3, no decay");
        double[] factors =
                groups.stream().mapToDouble(ParameterGroup::learningRateFactor).toArray();
        assertThat(factors).containsExactly(new double[] {1 / 17.576, 1 / 6.76, 1 / 6.76, 1 / 2.6, 1}, within(1e-15));
        assertThat(groups).extracting(ParameterGroup::weightDecay).containsExactly(0.1, 0.1, 0.0, 0.1, 0.0);
        assertThat(groups).extracting(ParameterGroup::weightCount).containsExactly(20L, 6L, 2L, 6L, 2L);
    }

    @Test
    void eachGroupsRateIsTheRateAboveDividedByXi() {
        List<Variable> deep = new ArrayList<>();
        for (int i = 0; i < 12; i++) {
            deep.add(TestParameters.parameter("transformer.h." + i + ".ln_1.weight", 1));
        }
        List<ParameterGroup> groups = ParameterGroups.discriminative(deep, LayerDepth.of(deep), 2.6, 0);
        assertThat(groups).hasSize(12);
        assertThat(groups.getLast().learningRateFactor()).isEqualTo(1);
        for (int l = 1; l < 12; l++) {
            double above = groups.get(l).learningRateFactor();
            assertThat(groups.get(l - 1).learningRateFactor()).isCloseTo(above / 2.6, within(1e-15 * above));
        }
        assertThat(groups.getFirst().learningRateFactor()).isCloseTo(Math.pow(2.6, -11), within(1e-19));
    }

    @Test
    void optimizerStepsEachGroupAtItsRate() {
        Variable low = TestParameters.parameter("layers.0.bias", 1);
        Variable top = TestParameters.parameter("head.bias", 1);
        Optimizer sgd =
                new Sgd(ParameterGroups.discriminative(List.of(low, top), LayerDepth.of(List.of(low, top)), 2, 0), 0.5);
        TestParameters.gradient(low, 1);
        TestParameters.gradient(top, 1);
        sgd.step();
        assertThat(low.value().item()).isEqualTo(0.75);
        assertThat(top.value().item()).isEqualTo(0.5);
    }

    @Test
    void layerwiseDecayMultipliesRatesByTheFactor() {
        assertThat(ParameterGroups.layerwiseDecay(LLAMA, LayerDepth.of(LLAMA), 0.5, 0.1))
                .extracting(ParameterGroup::learningRateFactor)
                .containsExactly(0.125, 0.25, 0.25, 0.5, 1.0);
    }

    @ParameterizedTest
    @ValueSource(doubles = {0, 0.5, Double.NaN, Double.POSITIVE_INFINITY})
    void xiBelowOneIsRejected(double xi) {
        assertThatThrownBy(() -> ParameterGroups.discriminative(LLAMA, _ -> 0, xi, 0))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("xi is " + xi);
    }

    @ParameterizedTest
    @ValueSource(doubles = {0, -1, 1.1, Double.NaN})
    void layerwiseFactorOutOfRangeIsRejected(double factor) {
        assertThatThrownBy(() -> ParameterGroups.layerwiseDecay(LLAMA, _ -> 0, factor, 0))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("the factor is " + factor);
    }

    @ParameterizedTest
    @ValueSource(doubles = {-0.1, Double.NaN, Double.POSITIVE_INFINITY})
    void invalidLearningRateFactorOrWeightDecayIsRejected(double value) {
        assertThatThrownBy(() -> new ParameterGroup("head", List.of(bias), 1, value))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("parameter group 'head': weightDecay is " + value);
        assertThatThrownBy(() -> new ParameterGroup("head", List.of(bias), value, 0))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("parameter group 'head': learningRateFactor is " + value);
    }

    @Test
    void unnamedOrComputedVariableIsRejected() {
        Variable constant = Variable.constant(Tensor.of(new float[1], 1));
        assertThatThrownBy(() -> new ParameterGroup("head", List.of(constant)))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("is not a named parameter");
        Variable made = matrix.reshape(3, 2);
        assertThatThrownBy(() -> new ParameterGroup("head", List.of(made)))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("is not a named parameter");
    }
}
