package io.gradus.optim;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import com.fasterxml.jackson.databind.JsonNode;
import io.gradus.autograd.Variable;
import io.gradus.core.DType;
import io.gradus.core.Device;
import io.gradus.core.MemoryCategory;
import io.gradus.core.Tensor;
import java.io.IOException;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** The exponential moving average of the weights: values, swapping and resuming. */
class WeightAverageTest {

    @ParameterizedTest
    @ValueSource(strings = {"average/short", "average/long"})
    void averageMatchesPytorch(String name) throws IOException {
        for (Device device : List.of(Device.cpu(), Device.reference())) {
            try (PytorchFixture fixture = PytorchFixture.finetuning()) {
                JsonNode settings = fixture.settings(name);
                FineTuned run = FineTuned.begin(fixture, device);
                WeightAverage average =
                        new WeightAverage(run.parameters, settings.get("decay").doubleValue());
                Optimizer optimizer = new AdamW(
                        ParameterGroups.single(
                                run.parameters, settings.get("weight_decay").doubleValue()),
                        settings.get("lr").doubleValue());
                run.assertMatches(fixture, name, device, device.equals(Device.cpu()) ? 2e-6 : 6e-8, () -> {
                    optimizer.step();
                    average.update();
                    return List.copyOf(average.state().values());
                });
            }
        }
    }

    @Test
    void swapExchangesWeightsAndAverageExactly() {
        Variable w = TestParameters.parameter("w", 1, -0f, 0.1f);
        WeightAverage average = new WeightAverage(List.of(w), 0.9);
        w.value().copyFrom(Tensor.of(new float[] {5, 7, 1e-40f}, 3));
        average.swap();
        assertThat(average.isSwapped()).isTrue();
        assertThat(w.value().toFloats()).containsExactly(1, -0f, 0.1f);
        assertThat(average.of(w).toFloats()).containsExactly(1, -0f, 0.1f);
        average.swap();
        assertThat(w.value().toFloats()).containsExactly(5, 7, 1e-40f);
        assertThat(average.of(w).toFloats()).containsExactly(1, -0f, 0.1f);
        assertThat(average.state().get("w.average").toFloats()).containsExactly(1, -0f, 0.1f);
    }

    @Test
    void decayZeroEqualsTheWeights() {
        Variable w = TestParameters.parameter("w", 1, 2);
        WeightAverage average = new WeightAverage(List.of(w), 0);
        w.value().copyFrom(Tensor.of(new float[] {0.1f, 1e30f}, 2));
        average.update();
        assertThat(average.state().get("w.average").toFloats()).containsExactly(0.1f, 1e30f);
    }

    @Test
    void resumedRunHasTheSameAverage() {
        Variable w = TestParameters.parameter("w", 1, 2);
        WeightAverage whole = new WeightAverage(List.of(w), 0.7);
        WeightAverage first = new WeightAverage(List.of(w), 0.7);
        for (int step = 1; step <= 3; step++) {
            w.value().copyFrom(Tensor.of(new float[] {step, 1f / step}, 2));
            whole.update();
            first.update();
        }
        WeightAverage second = new WeightAverage(List.of(w), 0.7);
        second.load(first.state());
        for (int step = 4; step <= 6; step++) {
            w.value().copyFrom(Tensor.of(new float[] {step, 1f / step}, 2));
            whole.update();
            second.update();
        }
        assertThat(second.state().get("w.average").toFloats())
                .containsExactly(whole.state().get("w.average").toFloats());
    }

    @Test
    void averageCountsAsOptimizerStateAndFreesTemporaries() {
        Device device = Device.cpu(1);
        Variable w = Variable.parameter("w", Tensor.of(device, new float[12], 3, 4));
        WeightAverage average = new WeightAverage(List.of(w), 0.9);
        assertThat(device.backend().memory().live(MemoryCategory.OPTIMIZER_STATE))
                .isEqualTo(48);
        long before = device.backend().memory().live();
        average.update();
        average.swap();
        average.swap();
        assertThat(device.backend().memory().live()).isEqualTo(before);
    }

    @Test
    void sixteenBitWeightsAreAveragedInF32() {
        Variable half = Variable.parameter("half", Tensor.of(new float[] {1}, 1).to(DType.BF16));
        WeightAverage average = new WeightAverage(List.of(half), 0.999);
        half.value().copyFrom(Tensor.of(new float[] {2}, 1));
        average.update();
        assertThat(average.state().get("half.average").toFloats()).containsExactly(1.001f);
        average.swap();
        assertThat(half.value().toFloats()).as("rounded").containsExactly(1);
        assertThat(average.of(half).toFloats()).containsExactly(1.001f);
        average.swap();
        assertThat(half.value().toFloats()).containsExactly(2);
        assertThat(average.state().get("half.average").toFloats())
                .as("not rounded")
                .containsExactly(1.001f);
    }

    @Test
    void mastersCanBeAveraged() {
        Variable half = Variable.parameter("half", Tensor.of(new float[] {1}, 1).to(DType.BF16));
        Tensor master = Tensor.of(new float[] {1.0001f}, 1);
        WeightAverage average = new WeightAverage(List.of(half), 0.5, _ -> master);
        assertThat(average.state().get("half.average").toFloats()).containsExactly(1.0001f);
        master.copyFrom(Tensor.of(new float[] {1.0003f}, 1));
        average.update();
        assertThat(average.state().get("half.average").item()).isCloseTo(1.0002, within(1e-7));
    }

    @Test
    void updateAndSaveWhileSwappedAreRejected() {
        WeightAverage average = new WeightAverage(List.of(TestParameters.parameter("w", 1)), 0.9);
        average.swap();
        assertThatThrownBy(average::update)
                .isInstanceOf(IllegalStateException.class)
                .hasMessageContaining("call swap()");
        assertThatThrownBy(average::state)
                .isInstanceOf(IllegalStateException.class)
                .hasMessageContaining("call swap()");
    }

    @Test
    void mismatchedStateIsRejected() {
        WeightAverage average =
                new WeightAverage(List.of(TestParameters.parameter("a", 1), TestParameters.parameter("b", 1)), 0.9);
        Map<String, Tensor> saved =
                Map.of("a.average", Tensor.of(new float[] {1, 2}, 2), "c.average", Tensor.of(new float[] {1}, 1));
        assertThatThrownBy(() -> average.load(saved))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("missing or of another shape: a.average, b.average; unexpected: c.average");
        for (double decay : new double[] {-0.1, 1, Double.NaN}) {
            assertThatThrownBy(() -> new WeightAverage(List.of(), decay))
                    .isInstanceOf(IllegalArgumentException.class)
                    .hasMessageContaining("the decay is " + decay);
        }
    }
}
