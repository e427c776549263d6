package io.gradus.nn.model.awdlstm;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import io.gradus.autograd.CrossEntropyOptions;
import io.gradus.autograd.Reduction;
import io.gradus.autograd.Variable;
import io.gradus.core.DType;
import io.gradus.core.Device;
import io.gradus.core.MemoryCategory;
import io.gradus.core.Tensor;
import io.gradus.core.safetensors.SafetensorsFile;
import io.gradus.nn.Given;
import io.gradus.nn.KeyValueCache;
import io.gradus.nn.WeightSource;
import io.gradus.nn.generate.Sampling;
import io.gradus.nn.generate.TextGeneration;
import io.gradus.nn.model.ConfigJson;
import io.gradus.nn.model.Head;
import io.gradus.nn.model.Labels;
import io.gradus.nn.model.LanguageModel;
import io.gradus.nn.model.ModelFamily;
import io.gradus.nn.model.ModelFolder;
import io.gradus.nn.model.PretrainedModel;
import io.gradus.nn.model.PretrainedModel.Input;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.TreeMap;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Compared with PyTorch: {@code fixtures/awd_lstm/generate.py} says how. */
class AwdLstmTest {
    private static final Path FIXTURE = Path.of("src/test/fixtures/awd_lstm");
    private static final double TOLERANCE = 1e-5;

    @TempDir
    private Path folder;

    private static Map<String, Tensor> expected(String file) throws IOException {
        Map<String, Tensor> tensors = new TreeMap<>();
        try (SafetensorsFile opened = SafetensorsFile.open(FIXTURE.resolve(file))) {
            for (var entry : opened.entries()) {
                DType dtype = entry.dtype().equals("I32") ? DType.I32 : DType.F32;
                tensors.put(entry.name(), opened.read(entry.name(), Device.cpu(), dtype, MemoryCategory.ACTIVATIONS));
            }
        }
        return tensors;
    }

    private ModelFolder copy(String weights) throws IOException {
        Files.copy(FIXTURE.resolve("config.json"), folder.resolve("config.json"));
        Files.copy(FIXTURE.resolve(weights), folder.resolve("model.safetensors"));
        return ModelFolder.open(folder);
    }

    /** The largest error, relative to the largest element. */
    private static void assertClose(String what, Tensor actual, Tensor expected) {
        double[] ours = actual.toDoubles();
        double[] theirs = expected.toDoubles();
        assertThat(ours).as(what).hasSameSizeAs(theirs);
        double scale = Math.max(1e-3, Arrays.stream(theirs).map(Math::abs).max().orElse(0));
        for (int i = 0; i < ours.length; i++) {
            assertThat(ours[i]).as(what + "[" + i + "]").isCloseTo(theirs[i], within(TOLERANCE * scale));
        }
    }

    private static void assertGradients(PretrainedModel model, Map<String, Tensor> expected, String prefix) {
        int compared = 0;
        for (Map.Entry<String, Variable> parameter : model.namedParameters().entrySet()) {
            Tensor theirs = expected.get(prefix + parameter.getKey());
            if (theirs != null) {
                assertClose(
                        prefix + parameter.getKey(),
                        Objects.requireNonNull(parameter.getValue().grad()),
                        theirs);
                compared++;
            }
        }
        assertThat(expected.keySet().stream().filter(name -> name.startsWith(prefix)))
                .hasSize(compared);
    }

    @Test
    void languageModelAndItsCarriedStateMatchPyTorch() throws IOException {
        Map<String, Tensor> expected = expected("expected.safetensors");
        LanguageModel model = copy("model.safetensors").load(Device.cpu());
        model.train();
        Tensor ids = expected.get("ids");
        Tensor targets = expected.get("targets");
        float[] losses = expected.get("loss").toFloats();
        float[] penalties = expected.get("penalty").toFloats();
        KeyValueCache cache = model.newCache(100);
        for (int batch = 0; batch < 2; batch++) {
            Tensor own = ids.slice(batch, batch + 1).reshape(3, 7);
            Variable hidden = model.hiddenStates(Input.next(own, cache));
            if (batch == 0) {
                assertClose("logits", model.logits(hidden).value(), expected.get("logits"));
            }
            Variable loss = model.crossEntropy(
                    hidden, targets.slice(batch, batch + 1).reshape(21), CrossEntropyOptions.of(Reduction.MEAN), 0);
            Variable penalty = Objects.requireNonNull(model.penalty(hidden));
            assertThat(loss.item()).isCloseTo(losses[batch], within(1e-5));
            assertThat(penalty.item()).isCloseTo(penalties[batch], within(1e-5));
            model.parameters().forEach(Variable::clearGrad);
            (batch == 0 ? loss : loss.add(penalty)).backward();
            assertGradients(model, expected, batch == 0 ? "gradient." : "second.");
        }
    }

    @Test
    void classifierOfTextsInChunksMatchesPyTorch() throws IOException {
        Map<String, Tensor> expected = expected("classified.safetensors");
        PretrainedModel model = copy("classifier.safetensors")
                .withHead(new Head.SequenceClassification(Labels.of("a", "b")))
                .loadModel(Device.cpu(), DType.F32);
        Input input = Input.padded(expected.get("ids"), expected.get("mask"), null);
        assertClose("logits", model.forward(input).value(), expected.get("logits"));
        model.train();
        Variable logits = model.forward(input);
        assertClose("trained", logits.value(), expected.get("trained"));
        Variable loss = logits.crossEntropy(expected.get("labels"));
        assertThat(loss.item()).isCloseTo(expected.get("loss").toFloats()[0], within(1e-5));
        loss.backward();
        assertGradients(model, expected, "gradient.");
        model.namedParameters().forEach((name, parameter) -> {
            if (expected.containsKey("running." + name)) {
                assertClose(name, parameter.value(), expected.get("running." + name));
            }
        });
    }

    @Test
    void textsPastTheEndOfTheOthersAndPaddingDoNotChangeAClassification() throws IOException {
        Map<String, Tensor> expected = expected("classified.safetensors");
        PretrainedModel model = copy("classifier.safetensors")
                .withHead(new Head.SequenceClassification(Labels.of("a", "b")))
                .loadModel(Device.cpu(), DType.F32);
        Tensor ids = expected.get("ids");
        float[] together = expected.get("logits").toFloats();
        int[] lengths = {11, 3, 8, 5};
        for (int row = 0; row < 4; row++) {
            int[] alone = Arrays.copyOf(ids.slice(row, row + 1).toInts(), lengths[row]);
            float[] logits = model.forward(Input.of(Tensor.of(alone, 1, alone.length)))
                    .value()
                    .toFloats();
            assertThat(logits[0]).isCloseTo(together[2 * row], within(1e-5f));
            assertThat(logits[1]).isCloseTo(together[2 * row + 1], within(1e-5f));
        }
    }

    // ---- dropout ----

    private static AwdLstmConfig config() {
        return AwdLstmConfig.of(40, 8, 12, 2);
    }

    private static LanguageModel random(AwdLstmConfig config) {
        return config.build(WeightSource.random(Device.cpu(), 3));
    }

    @Test
    void inputDropoutDropsTheSameElementsAtEveryStep() {
        LockedDropout dropout = new LockedDropout(0.5, 3);
        dropout.train();
        float[] y = dropout.forward(Variable.constant(Given.random(1, 5, 2, 16)))
                .value()
                .toFloats();
        int dropped = 0;
        for (int element = 0; element < 32; element++) {
            for (int step = 1; step < 5; step++) {
                assertThat(y[step * 32 + element] == 0).isEqualTo(y[element] == 0);
            }
            dropped += y[element] == 0 ? 1 : 0;
        }
        assertThat(dropped).isBetween(4, 28);
        assertThat(Arrays.copyOf(y, 16)).isNotEqualTo(Arrays.copyOfRange(y, 16, 32));
    }

    @Test
    void embeddingDropoutDropsAWordWhereverItIs() {
        AwdLstmConfig config = config().withDropouts(0, 0, 0, 0.5, 0);
        LanguageModel model = random(config);
        Tensor ids = Given.ids(2, 5, 6, 7, 5, 6, 7);
        model.train();
        float[] hidden = model.hiddenStates(Input.of(ids)).value().toFloats();
        assertThat(Arrays.copyOf(hidden, 24))
                .as("both rows have the same words, some of them dropped in both")
                .isEqualTo(Arrays.copyOfRange(hidden, 24, 48));
        model.eval();
        assertThat(hidden)
                .isNotEqualTo(model.hiddenStates(Input.of(ids)).value().toFloats());
    }

    @ParameterizedTest
    @ValueSource(ints = {0, 1, 2, 3, 4})
    void everyDropoutChangesTrainingOnlyAndIsReproducible(int kind) {
        double[] p = new double[5];
        p[kind] = 0.5;
        LanguageModel model = random(config().withDropouts(p[0], p[1], p[2], p[3], p[4]));
        Tensor ids = Given.ids(1, 5, 6, 7, 8, 9, 10, 11, 12);
        float[] whole = model.hiddenStates(Input.of(ids)).value().toFloats();
        model.train();
        model.seedDropout(1, 4);
        float[] dropped = model.hiddenStates(Input.of(ids)).value().toFloats();
        float[] next = model.hiddenStates(Input.of(ids)).value().toFloats();
        model.seedDropout(1, 4);
        float[] again = model.hiddenStates(Input.of(ids)).value().toFloats();
        assertThat(dropped).isNotEqualTo(whole).isEqualTo(again).isNotEqualTo(next);
    }

    @Test
    void checkpointedActivationsGiveTheSameGradients() {
        LanguageModel model = random(config());
        float[][] gradients = new float[2][];
        for (int i = 0; i < 2; i++) {
            model.setActivationCheckpointing(i == 1);
            model.train();
            model.seedDropout(1, 4);
            model.parameters().forEach(Variable::clearGrad);
            KeyValueCache cache = model.newCache(100);
            for (int batch = 0; batch < 2; batch++) {
                model.lossSum(
                                Input.next(Given.ids(1, 5, 6, 7, 8), cache),
                                Given.ids(4, 6, 7, 8, 9).reshape(4),
                                0)
                        .backward();
            }
            gradients[i] =
                    Objects.requireNonNull(model.parameters().get(2).grad()).toFloats();
        }
        assertThat(gradients[1]).isEqualTo(gradients[0]);
    }

    // ---- generation, configuration ----

    @Test
    void generationContinuesTheStateWithTheSameResult() {
        LanguageModel model = random(config());
        Sampling greedy = Sampling.GREEDY;
        int[] prompt = {3, 4, 5};
        int[] carried = new TextGeneration(greedy, 12, Set.of(), true)
                .generate(model, prompt, _ -> {})
                .ids();
        int[] again = new TextGeneration(greedy, 12, Set.of(), false)
                .generate(model, prompt, _ -> {})
                .ids();
        assertThat(carried).hasSize(12).isEqualTo(again);
    }

    @Test
    void writtenConfigurationReadsTheSame() {
        AwdLstmConfig config = config().withDropMult(0.3);
        ConfigJson json = ConfigJson.parse(config.toJson().toString());
        assertThat(ModelFamily.of(json).read(json)).isEqualTo(config);
        assertThat(json.unreadKeys()).isEmpty();
        assertThat(config.architecture(new Head.SequenceClassification(Labels.of("a"))))
                .isEqualTo("AwdLstmForSequenceClassification");
    }

    @ParameterizedTest
    @ValueSource(strings = {"bidir", "qrnn"})
    void otherLayersAreRejected(String key) {
        ConfigJson json = config().toJson().set(key, true);
        assertThatThrownBy(() -> ModelFamily.of(json).read(json))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining(key);
    }

    @Test
    void untiedWeightsAndNoBiasAreHonored() {
        ConfigJson json = config().toJson().set("tie_weights", false).set("out_bias", false);
        LanguageModel model = ModelFamily.of(json).read(json).build(WeightSource.random(Device.cpu(), 3));
        assertThat(model.namedParameters()).containsKey("decoder.weight").doesNotContainKey("decoder.bias");
    }

    @Test
    void packedDocumentsAndPaddingOnTheLeftAreRejected() {
        LanguageModel model = random(config());
        Tensor ids = Given.ids(1, 5, 6, 7);
        assertThatThrownBy(() -> model.forward(Input.packed(ids, Given.ids(1, 0, 0, 1), Given.ids(1, 0, 1, 1))))
                .hasMessageContainingAll("awd_lstm", "data.packing=stream");
        assertThatThrownBy(() -> model.forward(Input.padded(ids, Given.ids(1, 0, 1, 1), null)))
                .hasMessageContainingAll("awd_lstm", "pad on the right");
    }
}
