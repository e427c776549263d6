package io.gradus.optim;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.gradus.autograd.Variable;
import io.gradus.core.DType;
import io.gradus.core.Device;
import io.gradus.core.MemoryCategory;
import io.gradus.core.Tensor;
import io.gradus.core.safetensors.NamedTensor;
import io.gradus.core.safetensors.SafetensorsFile;
import io.gradus.core.safetensors.SafetensorsWriter;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.BiFunction;
import java.util.function.Consumer;
import org.junit.jupiter.api.Named;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** Saving and restoring optimizer state. */
class OptimizerStateTest {
    private static final int STEPS = 7;

    /** Creates an optimizer for a model with two parameters. */
    interface Maker extends BiFunction<List<ParameterGroup>, Double, Optimizer> {}

    static List<Named<Maker>> makers() {
        return List.of(
                Named.of("Sgd", Sgd::new),
                Named.of(
                        "Sgd with momentum",
                        (groups, rate) -> new Sgd(groups, rate, new Sgd.Settings(0.9, 0.5, false))),
                Named.of("Sgd with Nesterov", (groups, rate) -> new Sgd(groups, rate, Sgd.Settings.nesterov(0.9))),
                Named.of("Adam", Adam::new),
                Named.of("AdamW", AdamW::new),
                Named.of("Adafactor", Adafactor::new),
                Named.of("AdamW8bit with small parameters", AdamW8bit::new));
    }

    @ParameterizedTest
    @MethodSource("makers")
    void resumedRunEndsWithTheSameBits(Maker maker, @TempDir Path folder) throws IOException {
        Model whole = new Model(maker);
        whole.train(0, STEPS);
        for (int stop = 0; stop <= STEPS; stop++) {
            Model first = new Model(maker);
            first.train(0, stop);
            Path file = folder.resolve("optimizer-" + stop + ".safetensors");
            write(file, first.optimizer.state());

            Model second = new Model(maker);
            second.weight.value().copyFrom(first.weight.value());
            second.bias.value().copyFrom(first.bias.value());
            second.optimizer.load(read(file));
            second.train(stop, STEPS);
            assertThat(second.bits()).as("stopped after %d steps", stop).isEqualTo(whole.bits());
        }
    }

    @ParameterizedTest
    @MethodSource("makers")
    void loadCopiesTheSavedTensors(Maker maker) {
        Model first = new Model(maker);
        first.train(0, 3);
        Map<String, Tensor> state = first.optimizer.state();
        Model second = new Model(maker);
        second.optimizer.load(state);
        Map<String, String> before = text(state);
        second.train(3, 5);
        assertThat(text(state)).isEqualTo(before);
    }

    @Test
    void stateNamesAreParameterNamePlusPytorchName() {
        assertThat(new Model(AdamW::new).optimizer.state())
                .containsOnlyKeys(
                        "fc.weight.exp_avg",
                        "fc.weight.exp_avg_sq",
                        "fc.weight.step",
                        "fc.bias.exp_avg",
                        "fc.bias.exp_avg_sq",
                        "fc.bias.step");
        assertThat(new Model((groups, rate) -> new Sgd(groups, rate, Sgd.Settings.momentum(0.9))).optimizer.state())
                .containsOnlyKeys(
                        "fc.weight.momentum_buffer", "fc.weight.step", "fc.bias.momentum_buffer", "fc.bias.step");
        assertThat(new Model(Sgd::new).optimizer.state()).containsOnlyKeys("fc.weight.step", "fc.bias.step");
        assertThat(new Model(Adafactor::new).optimizer.state())
                .containsOnlyKeys(
                        "fc.weight.row_var", "fc.weight.col_var", "fc.weight.step", "fc.bias.variance", "fc.bias.step");
    }

    @Test
    void mismatchedStateIsRejectedAndNothingChanges() {
        Model model = new Model(AdamW::new);
        model.train(0, 2);
        Map<String, String> before = text(model.optimizer.state());
        Map<String, Tensor> saved = new Model(AdamW::new).optimizer.state();
        saved.remove("fc.bias.exp_avg");
        saved.put("fc2.weight.exp_avg", Tensor.of(new float[] {1}, 1));
        saved.put("fc.weight.exp_avg_sq", Tensor.of(new float[] {1, 2}, 2));
        saved.put("fc.bias.step", Tensor.of(new float[] {2.5f}, 1));
        assertThatThrownBy(() -> model.optimizer.load(saved))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("AdamW")
                .hasMessageContaining("missing: fc.bias.exp_avg;")
                .hasMessageContaining("unexpected: fc2.weight.exp_avg.")
                .hasMessageContaining("fc.weight.exp_avg_sq has shape [2], not [2, 3]")
                .hasMessageContaining("fc.bias.step is not a number of steps");
        assertThat(text(model.optimizer.state())).isEqualTo(before);
    }

    @Test
    void stateOfAnotherOptimizerIsRejected() {
        Map<String, Tensor> saved = new Model(Sgd::new).optimizer.state();
        assertThatThrownBy(() -> new Model(Adam::new).optimizer.load(saved))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining(
                        "missing: fc.weight.exp_avg, fc.weight.exp_avg_sq, fc.bias.exp_avg, fc.bias.exp_avg_sq.");
    }

    @Test
    void longListsOfMissingNamesAreShortened() {
        Variable[] parameters = new Variable[10];
        for (int i = 0; i < parameters.length; i++) {
            parameters[i] = TestParameters.parameter("p" + i, 1);
        }
        assertThatThrownBy(() -> new Sgd(TestParameters.group(parameters), 1).load(Map.of()))
                .hasMessageContaining("missing: p0.step, p1.step, p2.step, p3.step, p4.step and 5 more.");
    }

    @Test
    void stateOfAFrozenParameterIsOptional() {
        Model first = new Model(AdamW::new);
        first.train(0, 2);
        Model second = new Model(AdamW::new, model -> model.bias.setRequiresGrad(false));
        second.optimizer.load(first.optimizer.state());
        assertThat(text(second.optimizer.state())).isEqualTo(text(first.optimizer.state()));

        Map<String, Tensor> withoutBias = first.optimizer.state();
        withoutBias.keySet().removeIf(name -> name.startsWith("fc.bias"));
        second.optimizer.load(withoutBias);
        assertThat(second.optimizer.state()).containsOnlyKeys(withoutBias.keySet());
    }

    /** Two parameters and an optimizer. Gradients depend on the weights and the step. */
    private static final class Model {
        final Variable weight = Variable.parameter("fc.weight", Tensor.of(new float[] {1, -2, 3, 0.5f, 0, -1}, 2, 3));
        final Variable bias = TestParameters.parameter("fc.bias", 0.1f, -0.2f);
        final Optimizer optimizer;

        Model(Maker maker) {
            this(maker, model -> {});
        }

        Model(Maker maker, Consumer<Model> prepare) {
            prepare.accept(this);
            optimizer = maker.apply(ParameterGroups.withWeightDecay(List.of(weight, bias), 0.1), 0.05);
        }

        void train(int from, int to) {
            for (int step = from; step < to; step++) {
                for (Variable parameter : optimizer.parameters()) {
                    float[] gradient = parameter.value().toFloats();
                    for (int i = 0; i < gradient.length; i++) {
                        gradient[i] = gradient[i] * 0.3f + (float) Math.sin(step + i);
                    }
                    TestParameters.gradient(parameter, gradient);
                }
                optimizer.setLearningRate(0.05 / (step + 1));
                optimizer.step(0.5);
            }
        }

        /** The exact weights and state, as text. */
        List<Object> bits() {
            return List.of(weight.value().toString(), bias.value().toString(), text(optimizer.state()));
        }
    }

    /** Small tensors print all elements exactly. */
    private static Map<String, String> text(Map<String, Tensor> state) {
        Map<String, String> text = new LinkedHashMap<>();
        state.forEach((name, tensor) -> text.put(name, Arrays.toString(tensor.toDoubles())));
        return text;
    }

    private static void write(Path file, Map<String, Tensor> state) throws IOException {
        List<NamedTensor> named = state.entrySet().stream()
                .map(entry -> NamedTensor.of(entry.getKey(), entry.getValue()))
                .toList();
        SafetensorsWriter.write(file, named, Map.of());
    }

    private static Map<String, Tensor> read(Path path) throws IOException {
        Map<String, Tensor> state = new LinkedHashMap<>();
        try (SafetensorsFile file = SafetensorsFile.open(path)) {
            for (String name : file.names()) {
                DType dtype = name.endsWith(".step") ? DType.I32 : DType.F32;
                state.put(name, file.read(name, Device.cpu(), dtype, MemoryCategory.OPTIMIZER_STATE));
            }
        }
        return state;
    }
}
