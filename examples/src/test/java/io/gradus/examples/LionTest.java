package io.gradus.examples;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.gradus.autograd.Variable;
import io.gradus.core.DType;
import io.gradus.core.Device;
import io.gradus.core.MemoryCategory;
import io.gradus.core.Tensor;
import io.gradus.core.safetensors.NamedTensor;
import io.gradus.core.safetensors.SafetensorsFile;
import io.gradus.core.safetensors.SafetensorsWriter;
import io.gradus.optim.GradientClipping;
import io.gradus.optim.Optimizer;
import io.gradus.optim.ParameterGroup;
import io.gradus.optim.ParameterGroups;
import io.gradus.optim.Schedule;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Lion against the PyTorch package lion-pytorch, and what it inherits from {@link Optimizer}. */
class LionTest {
    private static final Path FIXTURE = Path.of("src/test/fixtures/lion.safetensors");

    private static void gradient(Variable parameter, Tensor gradient) {
        parameter.clearGrad();
        parameter.backward(gradient, false);
    }

    @ParameterizedTest
    @ValueSource(strings = {"plain", "weight-decay", "other-betas"})
    void matchesLionPytorch(String name) throws IOException {
        try (SafetensorsFile file = SafetensorsFile.open(FIXTURE)) {
            JsonNode settings = new ObjectMapper().readTree(file.metadata().get(name));
            List<Variable> parameters = new ArrayList<>();
            for (int i = 0; i < 2; i++) {
                parameters.add(Variable.parameter("p" + i, read(file, "start/" + i)));
            }
            Optimizer lion = new Lion(
                    ParameterGroups.single(
                            parameters, settings.get("weight_decay").doubleValue()),
                    settings.get("lr").doubleValue(),
                    settings.get("betas").get(0).doubleValue(),
                    settings.get("betas").get(1).doubleValue());
            for (long step = 0; step < 12; step++) {
                for (int i = 0; i < 2; i++) {
                    gradient(parameters.get(i), at(step, read(file, "gradient/" + i)));
                }
                lion.step();
                for (int i = 0; i < 2; i++) {
                    assertClose(parameters.get(i).value(), at(step, read(file, name + "/" + i)));
                }
            }
            for (int i = 0; i < 2; i++) {
                assertClose(lion.state().get("p" + i + ".exp_avg"), read(file, name + "/exp_avg/" + i));
            }
        }
    }

    private static Tensor read(SafetensorsFile file, String name) throws IOException {
        return file.read(name, Device.cpu(), DType.F32, MemoryCategory.WEIGHTS);
    }

    private static Tensor at(long step, Tensor steps) {
        Tensor row = steps.slice(step, step + 1);
        return row.reshape(row.shape().sub(1, row.shape().rank()));
    }

    private static void assertClose(Tensor actual, Tensor expected) {
        float[] got = actual.toFloats();
        float[] wanted = expected.toFloats();
        assertThat(got).hasSameSizeAs(wanted);
        for (int i = 0; i < wanted.length; i++) {
            assertThat(got[i]).isCloseTo(wanted[i], within(2e-6f * Math.max(1, Math.abs(wanted[i]))));
        }
    }

    @Test
    void firstStepMovesEachWeightByTheLearningRateAgainstTheSignOfItsGradient() {
        Variable w = Variable.parameter("w", Tensor.of(new float[] {1, 1, 1}, 3));
        Optimizer lion = new Lion(ParameterGroups.single(List.of(w), 0), 0.25);
        gradient(w, Tensor.of(new float[] {1000, -0.001f, 0}, 3));
        lion.step();
        assertThat(w.value().toFloats()).containsExactly(0.75f, 1.25f, 1);
    }

    /** Two parameters. Their gradients depend on the weights, so that an error would propagate. */
    private static final class Run {
        final Variable weight;
        final Variable bias;
        final Optimizer lion;

        Run(DType dtype) {
            weight = Variable.parameter(
                    "weight",
                    Tensor.of(new float[] {0.5f, -1, 2, 1, -0.25f, 0.125f}, 3, 2)
                            .to(dtype));
            bias = Variable.parameter(
                    "bias", Tensor.of(new float[] {0.5f, -0.5f, 0}, 3).to(dtype));
            lion = new Lion(
                    List.of(
                            new ParameterGroup("decay", List.of(weight), 1, 0.1),
                            new ParameterGroup("no_decay", List.of(bias), 0.5, 0)),
                    0.01);
        }

        void train(int from, int to) {
            for (int step = from; step < to; step++) {
                lion.zeroGrad();
                Tensor x = Tensor.of(new float[] {1, -2, 0.5f, step}, 2, 2);
                Variable.constant(x).linear(weight, bias).tanh().sum().backward();
                lion.setLearningRate(Schedule.cosine(1, 8, 0.1), step);
                lion.step(new GradientClipping(1).factor(GradientClipping.norm(lion.parameters())));
            }
        }

        Map<String, float[]> weights() {
            Map<String, float[]> weights = new LinkedHashMap<>();
            lion.parameters()
                    .forEach(
                            p -> weights.put(String.valueOf(p.name()), p.value().toFloats()));
            return weights;
        }
    }

    @ParameterizedTest
    @EnumSource(names = {"F32", "BF16", "F16"})
    void runResumedFromAFileEndsWithTheSameBits(DType dtype, @TempDir Path folder) throws IOException {
        Run whole = new Run(dtype);
        whole.train(0, 8);
        for (int stop = 0; stop <= 8; stop++) {
            Run first = new Run(dtype);
            first.train(0, stop);
            Path file = folder.resolve(stop + ".safetensors");
            List<NamedTensor> tensors = new ArrayList<>();
            first.lion.state().forEach((name, tensor) -> tensors.add(NamedTensor.of(name, tensor)));
            tensors.add(NamedTensor.of("weight", first.weight.value()));
            tensors.add(NamedTensor.of("bias", first.bias.value()));
            SafetensorsWriter.write(file, tensors, Map.of());

            Run second = new Run(dtype);
            try (SafetensorsFile saved = SafetensorsFile.open(file)) {
                Map<String, Tensor> state = new LinkedHashMap<>();
                for (String name : saved.names()) {
                    DType stored = DType.valueOf(saved.entry(name).dtype());
                    state.put(name, saved.read(name, Device.cpu(), stored, MemoryCategory.OPTIMIZER_STATE));
                }
                second.weight.value().copyFrom(state.remove("weight"));
                second.bias.value().copyFrom(state.remove("bias"));
                second.lion.load(state);
            }
            second.train(stop, 8);
            assertThat(second.weights())
                    .as("stopped after %d steps", stop)
                    .usingRecursiveComparison()
                    .isEqualTo(whole.weights());
        }
    }

    @Test
    void sixteenBitWeightsAccumulateSmallStepsInTheirMaster() {
        Variable w = Variable.parameter("w", Tensor.of(new float[] {1}, 1).to(DType.BF16));
        Optimizer lion = new Lion(ParameterGroups.single(List.of(w), 0), 0x1p-10);
        gradient(w, Tensor.of(new float[] {-1}, 1));
        for (int step = 1; step <= 8; step++) {
            lion.step();
            assertThat(lion.weight(w).item()).isEqualTo(1 + step * 0x1p-10);
        }
        assertThat(w.value().item()).isEqualTo(1 + 0x1p-7); // the next BF16 number above 1
    }

    @Test
    void betasOutOfRangeAreRejected() {
        List<ParameterGroup> groups =
                ParameterGroups.single(List.of(Variable.parameter("w", Tensor.of(new float[] {1}, 1))), 0);
        assertThatThrownBy(() -> new Lion(groups, 1e-4, 1, 0.99))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessage("Lion: beta1 and beta2 are 1.0 and 0.99; each must be in [0, 1)");
        assertThatThrownBy(() -> new Lion(groups, 1e-4, 0.9, -1)).isInstanceOf(IllegalArgumentException.class);
    }
}
