package io.gradus.optim;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import io.gradus.autograd.Variable;
import io.gradus.core.DType;
import io.gradus.core.Device;
import io.gradus.core.MemoryCategory;
import io.gradus.core.Scope;
import io.gradus.core.Tensor;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Copies of the pre-trained weights, and interpolation with them. */
class AnchorWeightsTest {
    private final Variable a = TestParameters.parameter("a", 1, -2, 0.1f);
    private final Variable b = TestParameters.parameter("b", 3);

    @Test
    void anchorIsACopyThatOutlivesTheScope() {
        AnchorWeights start;
        try (Scope _ = Scope.open("set-up")) {
            start = AnchorWeights.of(List.of(a, b));
        }
        a.value().copyFrom(Tensor.of(new float[] {4, 2, 0.1f}, 3));
        assertThat(start.of(a).toFloats()).containsExactly(1, -2, 0.1f);
        assertThat(start.of(a).storage().category()).isEqualTo(MemoryCategory.OPTIMIZER_STATE);
        assertThat(start.distance(List.of(a, b))).isCloseTo(5, within(1e-12));
        assertThat(start.tensors()).containsOnlyKeys("a", "b");
        assertThat(start).hasToString("anchor weights of 2 tensors, 4 weights");
    }

    @Test
    void interpolationWithAlphaZeroOrOneIsExact() {
        AnchorWeights start = AnchorWeights.of(List.of(a, b));
        a.value().copyFrom(Tensor.of(new float[] {1e10f, 0.3f, -7}, 3));
        start.interpolate(List.of(a), 1);
        assertThat(a.value().toFloats()).containsExactly(1e10f, 0.3f, -7);
        start.interpolate(List.of(a), 0);
        assertThat(a.value().toFloats()).containsExactly(1, -2, 0.1f);
    }

    @ParameterizedTest
    @ValueSource(doubles = {0.001, 0.25, 0.5, 0.75, 0.999})
    void interpolationIsLinear(double alpha) {
        AnchorWeights start = AnchorWeights.of(List.of(a, b));
        a.value().copyFrom(Tensor.of(new float[] {2, 2, 2}, 3));
        start.interpolate(List.of(a), alpha);
        float[] mixed = a.value().toFloats();
        double[] from = {1, -2, 0.1f};
        for (int i = 0; i < mixed.length; i++) {
            assertThat((double) mixed[i]).isCloseTo((1 - alpha) * from[i] + alpha * 2, within(3e-7));
        }
    }

    @Test
    void sixteenBitWeightsAreInterpolatedInF32() {
        Variable half =
                Variable.parameter("half", Tensor.of(new float[] {1, 2}, 2).to(DType.BF16));
        AnchorWeights start = AnchorWeights.of(List.of(half));
        assertThat(start.of(half).dtype()).isEqualTo(DType.F32);
        half.value().copyFrom(Tensor.of(new float[] {2, 4}, 2));
        start.interpolate(List.of(half), 0.5);
        assertThat(half.value().toFloats()).containsExactly(1.5f, 3);
        assertThat(start.distance(List.of(half))).isCloseTo(Math.sqrt(1.25), within(1e-12));
    }

    @Test
    void masterIsInterpolatedAndParameterRounded() {
        Variable half = Variable.parameter("half", Tensor.of(new float[] {1}, 1).to(DType.BF16));
        Tensor master = Tensor.of(new float[] {1.001f}, 1);
        AnchorWeights start = AnchorWeights.of(List.of(half), _ -> master);
        assertThat(start.of(half).toFloats()).containsExactly(1.001f);
        master.copyFrom(Tensor.of(new float[] {2.003f}, 1));
        start.interpolate(List.of(half), 0.5, _ -> master);
        assertThat(master.item()).isCloseTo(1.502, within(1e-6));
        assertThat(half.value().toFloats()).containsExactly(1.5f);
    }

    @Test
    void interpolationFreesItsTemporaries() {
        Device device = Device.cpu(1);
        Variable w = Variable.parameter("w", Tensor.of(device, new float[64], 8, 8));
        AnchorWeights start = AnchorWeights.of(List.of(w));
        long before = device.backend().memory().live();
        start.interpolate(List.of(w), 0.5);
        start.distance(List.of(w));
        assertThat(device.backend().memory().live()).isEqualTo(before);
    }

    @Test
    void unknownParameterIsRejectedAndNothingChanges() {
        AnchorWeights start = AnchorWeights.of(List.of(a));
        a.value().copyFrom(Tensor.of(new float[] {4, 2, 0.1f}, 3));
        assertThatThrownBy(() -> start.interpolate(List.of(a, b), 0))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("anchor weights: it has no tensor for b [1]");
        Variable other = TestParameters.parameter("a", 1);
        assertThatThrownBy(() -> start.of(other)).hasMessageContaining("it has the shape [3] for a [1]");
        assertThatThrownBy(() -> start.interpolate(List.of(a), 1.5)).hasMessageContaining("alpha is 1.5");
        assertThatThrownBy(() -> start.interpolate(List.of(a), Double.NaN)).hasMessageContaining("alpha is NaN");
        assertThat(a.value().toFloats()).containsExactly(4, 2, 0.1f);
    }
}
