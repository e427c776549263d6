package io.gradus.optim;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.gradus.autograd.Variable;
import io.gradus.core.Tensor;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Weight decay is for matrices; a group says what is wrong with it. */
class ParameterGroupsTest {
    private final Variable matrix = Variable.parameter("fc.weight", Tensor.of(new float[6], 2, 3));
    private final Variable filter = Variable.parameter("conv.weight", Tensor.of(new float[8], 2, 2, 2));
    private final Variable bias = Given.parameter("fc.bias", 1, 2);
    private final Variable scalar = Variable.parameter("scale", Tensor.of(new float[1]));

    @Test
    void matricesDecayAndBiasesAndNormWeightsDoNot() {
        assertThat(ParameterGroups.decayed(List.of(bias, matrix, scalar, filter), 0.1))
                .containsExactly(
                        new ParameterGroup("decay", List.of(matrix, filter), 1, 0.1),
                        new ParameterGroup("no_decay", List.of(bias, scalar), 1, 0));
    }

    @Test
    void aGroupThatWouldBeEmptyIsLeftOut() {
        assertThat(ParameterGroups.decayed(List.of(matrix), 0.1))
                .extracting(ParameterGroup::name)
                .containsExactly("decay");
        assertThat(ParameterGroups.decayed(List.of(bias), 0.1))
                .extracting(ParameterGroup::name)
                .containsExactly("no_decay");
    }

    @ParameterizedTest
    @ValueSource(doubles = {-0.1, Double.NaN, Double.POSITIVE_INFINITY})
    void aFactorOrDecayThatIsNoNumberIsRefused(double value) {
        assertThatThrownBy(() -> new ParameterGroup("head", List.of(bias), 1, value))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("parameter group 'head': weightDecay is " + value);
        assertThatThrownBy(() -> new ParameterGroup("head", List.of(bias), value, 0))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("parameter group 'head': learningRateFactor is " + value);
    }

    @Test
    void whatIsNotANamedParameterIsRefused() {
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
