package io.gradus.optim;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import io.gradus.autograd.Variable;
import io.gradus.core.DType;
import io.gradus.core.Device;
import io.gradus.core.MemoryCategory;
import io.gradus.core.Tensor;
import io.gradus.core.safetensors.SafetensorsFile;
import io.gradus.optim.LossScaler.Settings;
import io.gradus.optim.LossScaler.State;
import io.gradus.optim.LossScaler.StepResult;
import java.io.IOException;
import org.junit.jupiter.api.Test;

/** Dynamic loss scaling by PyTorch's rule. */
class LossScalerTest {
    private final Variable w =
            Variable.parameter("w", Tensor.of(new float[] {1}, 1).to(DType.F16));
    private final Optimizer optimizer = new Sgd(TestParameters.group(w), 0.5);

    private void gradient(float element) {
        TestParameters.gradient(w, element);
    }

    @Test
    void scaleFollowsPytorchsGradScaler() throws IOException {
        try (SafetensorsFile file =
                SafetensorsFile.open(PytorchFixture.FOLDER.resolve("mixed_precision.safetensors"))) {
            float[] scales = file.read("growth/scale", Device.cpu(), DType.F32, MemoryCategory.ACTIVATIONS)
                    .toFloats();
            int[] found = file.read("growth/found", Device.cpu(), DType.I32, MemoryCategory.ACTIVATIONS)
                    .toInts();
            LossScaler scaler = new LossScaler(new Settings(1024, 2, 0.5, 3));
            int skipped = 0;
            for (int step = 0; step < found.length; step++) {
                gradient(found[step] == 1 ? Float.NaN : 0);
                assertThat(scaler.step(optimizer, _ -> 1).stepped()).isEqualTo(found[step] == 0);
                assertThat(scaler.scale()).isEqualTo(scales[step]);
                skipped += found[step];
                assertThat(scaler.skipped()).isEqualTo(skipped);
            }
        }
    }

    @Test
    void stepEqualsThatOfTheUnscaledGradient() {
        LossScaler scaler = new LossScaler();
        Variable loss = w.multiply(1e-8).sum();
        loss.backward();
        assertThat(w.grad().toFloats()).containsExactly(0); // underflows in F16
        optimizer.zeroGrad();
        scaler.scale(w.multiply(1e-8).sum()).backward();
        StepResult outcome = scaler.step(optimizer, norm -> {
            assertThat(norm).isCloseTo(1e-8, within(1e-11));
            return 1e7;
        });
        assertThat(outcome.stepped()).isTrue();
        assertThat(outcome.norm()).isCloseTo(1e-8, within(1e-11));
        assertThat(optimizer.weight(w).item()).isCloseTo(1 - 0.5 * 0.1, within(1e-4));
    }

    @Test
    void overflowSkipsTheStepAndReducesTheScale() {
        LossScaler scaler = new LossScaler();
        scaler.scale(w.multiply(2).sum()).backward(); // 131,072 overflows F16
        StepResult outcome = scaler.step(optimizer, _ -> {
            throw new AssertionError("there is no norm to clip by");
        });
        assertThat(outcome.stepped()).isFalse();
        assertThat(outcome.norm()).isNotFinite();
        assertThat(w.value().item()).isOne();
        assertThat(scaler.state()).isEqualTo(new State(32768, 0, 1));
        optimizer.zeroGrad();
        scaler.scale(w.multiply(1.5).sum()).backward();
        assertThat(scaler.step(optimizer, _ -> 1)).isEqualTo(new StepResult(true, 1.5));
    }

    @Test
    void stateRestoresTheScaler() {
        LossScaler scaler = new LossScaler(new Settings(8, 2, 0.5, 3));
        scaler.load(new State(16, 2, 5));
        gradient(1);
        scaler.step(optimizer, _ -> 1);
        assertThat(scaler.state()).isEqualTo(new State(32, 0, 5));
    }

    @Test
    void scaleStopsGrowingAtTheF32Maximum() {
        LossScaler scaler = new LossScaler(new Settings(0x1p127, 2, 0.5, 1));
        gradient(0);
        scaler.step(optimizer, _ -> 1);
        assertThat(scaler.scale()).isEqualTo(0x1p127);
    }

    @Test
    void gradientThatIsNeverFiniteThrows() {
        LossScaler scaler = new LossScaler(new Settings(1, 2, 0.5, 1));
        assertThatThrownBy(() -> {
                    for (int step = 0; step < 100; step++) {
                        gradient(Float.NaN);
                        scaler.step(optimizer, _ -> 1);
                    }
                })
                .isInstanceOf(ArithmeticException.class)
                .hasMessageContainingAll("21 steps were skipped", "gradient of w");
    }

    @Test
    void settingsOutOfRangeAreRejected() {
        assertThatThrownBy(() -> new Settings(0, 2, 0.5, 1)).hasMessageContaining("initScale is 0.0");
        assertThatThrownBy(() -> new Settings(1, 1, 0.5, 1)).hasMessageContaining("growth");
        assertThatThrownBy(() -> new Settings(1, 2, 1, 1)).hasMessageContaining("backoff");
        assertThatThrownBy(() -> new Settings(1, 2, 0.5, 0)).hasMessageContaining("growthInterval is 0");
        assertThatThrownBy(() -> new State(Double.NaN, 0, 0)).hasMessageContaining("NaN");
    }
}
