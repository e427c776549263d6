package io.gradus.optim;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import io.gradus.autograd.Variable;
import io.gradus.core.DType;
import io.gradus.core.Device;
import io.gradus.core.MemoryCategory;
import io.gradus.core.Shape;
import io.gradus.core.Tensor;
import io.gradus.core.safetensors.NamedTensor;
import io.gradus.core.safetensors.SafetensorsFile;
import io.gradus.core.safetensors.SafetensorsWriter;
import java.io.IOException;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** 8-bit moments: the paper's algorithm, memory, convergence and resuming. */
class AdamW8bitTest {
    private static final int ROWS = 65;
    private static final int COLUMNS = 64;

    /** The tolerance for a weight whose code differs by one from the fixture: a small part of a step. */
    private static final double PART_OF_A_STEP = 0.05;

    @Test
    void tenStepsMatchThePapersAlgorithm() throws IOException {
        for (Device device : List.of(Device.cpu(), Device.reference())) {
            try (PytorchFixture fixture = PytorchFixture.finetuning()) {
                JsonNode settings = fixture.settings("adamw8bit");
                double rate = settings.get("lr").doubleValue();
                Variable w = Variable.parameter("w", fixture.read("adamw8bit/start", device));
                Optimizer optimizer = new AdamW8bit(
                        ParameterGroups.single(
                                List.of(w), settings.get("weight_decay").doubleValue()),
                        rate);
                float[] rows = fixture.read("adamw8bit/rows", device).toFloats();
                float[] columns = fixture.read("adamw8bit/columns", device).toFloats();
                for (int step = 0; step < 10; step++) {
                    float[] gradient = new float[ROWS * COLUMNS];
                    for (int i = 0; i < gradient.length; i++) {
                        gradient[i] = rows[step * ROWS + i / COLUMNS] * columns[step * COLUMNS + i % COLUMNS];
                    }
                    TestParameters.gradient(
                            w,
                            Tensor.of(gradient, ROWS, COLUMNS)
                                    .to(device, w.value().dtype(), MemoryCategory.GRADIENTS));
                    optimizer.step();
                    if (step == 0) {
                        PytorchFixture.assertClose(
                                w.value(), fixture.read("adamw8bit/first", device), 3e-7, "the first step");
                    }
                }
                Map<String, Tensor> state = optimizer.state();
                int first = assertSameCodes(fixture, "exp_avg_code", state);
                int second = assertSameCodes(fixture, "exp_avg_sq_code", state);
                PytorchFixture.assertClose(
                        state.get("w.exp_avg_absmax"), fixture.read("adamw8bit/exp_avg_absmax", device), 1e-6, "m");
                PytorchFixture.assertClose(
                        state.get("w.exp_avg_sq_absmax"),
                        fixture.read("adamw8bit/exp_avg_sq_absmax", device),
                        1e-6,
                        "v");
                PytorchFixture.assertClose(
                        w.value(), fixture.read("adamw8bit/last", device), rate * PART_OF_A_STEP, "the last step");
                assertThat(far(w.value(), fixture.read("adamw8bit/last", device)))
                        .as("weights that differ in the first six digits, with %d + %d different codes", first, second)
                        .isLessThanOrEqualTo(4);
            }
        }
    }

    /** Each code may differ by one from the fixture. Returns the number that do. */
    private static int assertSameCodes(PytorchFixture fixture, String name, Map<String, Tensor> state)
            throws IOException {
        int[] expected = fixture.read("adamw8bit/" + name, Device.cpu(), DType.U8)
                .to(DType.I32)
                .toInts();
        double[] actual = state.get("w." + name).toDoubles();
        int different = 0;
        for (int i = 0; i < expected.length; i++) {
            assertThat(Math.abs(actual[i] - expected[i])).as(name + " " + i).isLessThanOrEqualTo(1);
            different += actual[i] == expected[i] ? 0 : 1;
        }
        assertThat(different).as(name).isLessThanOrEqualTo(4);
        return different;
    }

    private static int far(Tensor actual, Tensor expected) {
        double[] a = actual.toDoubles();
        double[] b = expected.toDoubles();
        int far = 0;
        for (int i = 0; i < a.length; i++) {
            far += Math.abs(a[i] - b[i]) > 1e-6 * Math.max(1, Math.abs(b[i])) ? 1 : 0;
        }
        return far;
    }

    @Test
    void stateTakesTwoBytesPerWeightExceptForSmallParameters() {
        Device device = Device.cpu(1); // with its own memory ledger
        Variable w = parameter(device, "w", 64, 64);
        Variable small = parameter(device, "b", 4095);
        Optimizer optimizer = new AdamW8bit(TestParameters.group(w, small), 0.01);
        assertThat(optimizer.state())
                .containsOnlyKeys(
                        "w.exp_avg_code",
                        "w.exp_avg_absmax",
                        "w.exp_avg_sq_code",
                        "w.exp_avg_sq_absmax",
                        "w.step",
                        "b.exp_avg",
                        "b.exp_avg_sq",
                        "b.step");
        assertThat(optimizer.state().get("w.exp_avg_code").dtype()).isEqualTo(DType.U8);
        assertThat(optimizer.state().get("w.exp_avg_absmax").shape()).isEqualTo(Shape.of(16));
        assertThat(device.backend().memory().live(MemoryCategory.OPTIMIZER_STATE))
                .isEqualTo(2 * (4096 + 16 * 4) + 2 * 4095 * 4);
    }

    private static Variable parameter(Device device, String name, long... shape) {
        return Variable.parameter(name, Tensor.zeros(device, DType.F32, Shape.of(shape), MemoryCategory.WEIGHTS));
    }

    @Test
    void smallParameterEqualsAdamW() {
        Variable a = TestParameters.parameter("a", 1, 2, 3);
        Variable b = TestParameters.parameter("a", 1, 2, 3);
        Optimizer eight = new AdamW8bit(ParameterGroups.single(List.of(a), 0.1), 0.01);
        Optimizer plain = new AdamW(ParameterGroups.single(List.of(b), 0.1), 0.01);
        for (int step = 0; step < 5; step++) {
            TestParameters.gradient(a, step, 1, -0.3f);
            TestParameters.gradient(b, step, 1, -0.3f);
            eight.step();
            plain.step();
        }
        assertThat(a.value().toFloats()).containsExactly(b.value().toFloats());
    }

    @Test
    void convergesLikeAdamW() {
        Model eight = new Model(true);
        Model plain = new Model(false);
        double before = plain.loss();
        eight.train(0, 150);
        plain.train(0, 150);
        assertThat(plain.loss()).isLessThan(before / 100);
        assertThat(eight.loss()).isLessThan(before / 100);
    }

    @Test
    void resumedRunEndsWithTheSameBits(@TempDir Path folder) throws IOException {
        Model whole = new Model(true);
        whole.train(0, 6);
        for (int stop = 0; stop <= 6; stop += 2) {
            Model first = new Model(true);
            first.train(0, stop);
            Path file = folder.resolve("optimizer-" + stop + ".safetensors");
            SafetensorsWriter.write(
                    file,
                    first.optimizer.state().entrySet().stream()
                            .map(entry -> NamedTensor.of(entry.getKey(), entry.getValue()))
                            .toList(),
                    Map.of());
            Model second = new Model(true);
            second.w.value().copyFrom(first.w.value());
            Map<String, Tensor> state = new LinkedHashMap<>();
            try (SafetensorsFile saved = SafetensorsFile.open(file)) {
                for (String name : saved.names()) {
                    DType dtype = DType.valueOf(saved.entry(name).dtype());
                    state.put(name, saved.read(name, Device.cpu(), dtype, MemoryCategory.OPTIMIZER_STATE));
                }
            }
            second.optimizer.load(state);
            second.train(stop, 6);
            assertThat(second.w.value().toFloats())
                    .as("stopped after %d steps", stop)
                    .containsExactly(whole.w.value().toFloats());
            assertThat(second.optimizer.state().get("w.exp_avg_code").toFloats())
                    .containsExactly(
                            whole.optimizer.state().get("w.exp_avg_code").toFloats());
        }
    }

    /** A quadratic function of 4,200 weights with curvatures from 1 to 10. */
    private static final class Model {
        private static final int SIZE = 4200;
        final Variable w;
        final Optimizer optimizer;

        Model(boolean eightBits) {
            float[] start = new float[SIZE];
            for (int i = 0; i < SIZE; i++) {
                start[i] = (float) Math.sin(i);
            }
            w = TestParameters.parameter("w", start);
            List<ParameterGroup> group = ParameterGroups.single(List.of(w), 0);
            optimizer = eightBits ? new AdamW8bit(group, 0.02) : new AdamW(group, 0.02);
        }

        void train(int from, int to) {
            for (int step = from; step < to; step++) {
                float[] gradient = w.value().toFloats();
                for (int i = 0; i < SIZE; i++) {
                    gradient[i] *= 1 + i % 10;
                }
                TestParameters.gradient(w, gradient);
                optimizer.step();
            }
        }

        double loss() {
            double sum = 0;
            float[] at = w.value().toFloats();
            for (int i = 0; i < SIZE; i++) {
                sum += 0.5 * (1 + i % 10) * at[i] * at[i];
            }
            return sum;
        }
    }
}
