package io.gradus.nn.model.gpt2;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import io.gradus.autograd.Autograd;
import io.gradus.autograd.Variable;
import io.gradus.core.DType;
import io.gradus.core.Device;
import io.gradus.core.Shape;
import io.gradus.core.Tensor;
import io.gradus.core.safetensors.NamedTensor;
import io.gradus.core.safetensors.SafetensorsWriter;
import io.gradus.nn.Given;
import io.gradus.nn.KeyValueCache;
import io.gradus.nn.Losses;
import io.gradus.nn.WeightSource;
import io.gradus.nn.generate.Sampling;
import io.gradus.nn.generate.TextGeneration;
import io.gradus.nn.generate.TextGeneration.End;
import io.gradus.nn.model.LanguageModel;
import io.gradus.nn.model.PretrainedModel.Input;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.UnaryOperator;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Logits, losses and gradients are compared with transformers in the parity tests of the train module. */
class Gpt2Test {
    private static final int VOCABULARY = 11;
    private static final Gpt2Config CONFIG = Gpt2Config.of(VOCABULARY, 12, 2, 3, 16);

    @TempDir
    private Path folder;

    private static Gpt2 model() {
        return Given.randomized(new Gpt2(CONFIG, Given.weights()));
    }

    private static Gpt2Config with(String key, boolean value) {
        return Gpt2Config.read(CONFIG.toJson().set(key, value));
    }

    private static float[] logits(LanguageModel model, Input input) {
        return Autograd.noGrad(() -> model.forward(input)).value().toFloats();
    }

    // ---- parts ----

    @Test
    void namesAndShapesAreHuggingFaces() {
        Map<String, Variable> named = model().namedParameters();
        assertThat(named).hasSize(2 + 2 * 12 + 2);
        assertThat(named.get("transformer.wte.weight").shape()).isEqualTo(Shape.of(11, 12));
        assertThat(named.get("transformer.wpe.weight").shape()).isEqualTo(Shape.of(16, 12));
        assertThat(named.get("transformer.h.1.attn.c_attn.weight").shape()).isEqualTo(Shape.of(12, 36));
        assertThat(named.get("transformer.h.1.attn.c_attn.bias").shape()).isEqualTo(Shape.of(36));
        assertThat(named.get("transformer.h.0.attn.c_proj.weight").shape()).isEqualTo(Shape.of(12, 12));
        assertThat(named.get("transformer.h.0.mlp.c_fc.weight").shape()).isEqualTo(Shape.of(12, 48));
        assertThat(named.get("transformer.h.0.mlp.c_proj.weight").shape()).isEqualTo(Shape.of(48, 12));
        assertThat(named)
                .containsKeys("transformer.h.0.ln_1.weight", "transformer.h.0.ln_2.bias", "transformer.ln_f.bias")
                .doesNotContainKey("lm_head.weight");
    }

    @Test
    void untiedModelHasAnLmHead() {
        Gpt2 untied = new Gpt2(with("tie_word_embeddings", false), Given.weights());
        assertThat(untied.namedParameters()).hasSize(2 + 2 * 12 + 2 + 1).containsKey("lm_head.weight");
        assertThat(untied.forward(Input.of(Given.ids(1, 1, 2))).shape()).isEqualTo(Shape.of(1, 2, 11));
    }

    @Test
    void residualProjectionsStartSmallerThanOtherWeights() {
        Gpt2 model = new Gpt2(Gpt2Config.of(100, 64, 8, 4, 64), Given.weights());
        for (var entry : model.namedParameters().entrySet()) {
            String name = entry.getKey();
            double[] x = entry.getValue().value().toDoubles();
            double squares = Arrays.stream(x).map(a -> a * a).average().orElseThrow();
            double expected;
            if (name.endsWith("bias")) {
                expected = 0;
            } else if (name.contains("ln_")) {
                expected = 1;
            } else {
                expected = name.contains("c_proj") ? 0.02 / 4 : 0.02; // √(2·8) = 4
            }
            assertThat(Math.sqrt(squares)).as(name).isCloseTo(expected, within(0.05 * expected));
        }
    }

    @Test
    void sameSeedGivesTheSameModel() {
        Gpt2 a = new Gpt2(CONFIG, WeightSource.random(Device.cpu(1), 3));
        Gpt2 b = new Gpt2(CONFIG, WeightSource.random(Device.cpu(2), 3));
        a.namedParameters()
                .forEach((name, parameter) -> assertThat(parameter.value().toFloats())
                        .as(name)
                        .isEqualTo(b.namedParameters().get(name).value().toFloats()));
    }

    // ---- results ----

    @Test
    void logitsDoNotDependOnLaterTokens() {
        Gpt2 model = model();
        float[] a = logits(model, Input.of(Given.ids(1, 1, 2, 3, 4)));
        float[] b = logits(model, Input.of(Given.ids(1, 1, 2, 3, 9)));
        assertThat(Arrays.copyOf(b, 3 * VOCABULARY)).isEqualTo(Arrays.copyOf(a, 3 * VOCABULARY));
        assertThat(b).isNotEqualTo(a);
    }

    @Test
    void everyParameterReceivesAGradient() {
        Gpt2 model = Given.randomized(new Gpt2(with("tie_word_embeddings", false), Given.weights()));
        int[] ids = {1, 2, 3, 4, 5, 6};
        Tensor targets = Tensor.of(Losses.shiftLabels(ids, 3), 2, 3);
        model.forward(Input.of(Given.ids(2, ids))).crossEntropy(targets).backward();
        assertThat(model.namedParameters()).allSatisfy((_, parameter) -> {
            assertThat(parameter.grad()).isNotNull();
            assertThat(parameter.grad().toDoubles()).matches(Given::isNotZero);
        });
    }

    @Test
    void cachedBatchEqualsFullBatch() {
        Gpt2 model = model();
        int[] ids = {1, 2, 3, 4, 5, 9, 8, 7, 6, 5};
        float[] atOnce = logits(model, Input.of(Given.ids(2, ids)));
        KeyValueCache cache = model.newCache(5);
        List<float[]> parts = new ArrayList<>();
        for (int[] step : new int[][] {{1, 2, 3, 9, 8, 7}, {4, 6}, {5, 5}}) {
            parts.add(logits(model, Input.next(Given.ids(2, step), cache)));
        }
        for (int row = 0; row < 2; row++) {
            for (int i = 0; i < VOCABULARY; i++) {
                assertThat(parts.get(2)[row * VOCABULARY + i])
                        .isCloseTo(atOnce[(row * 5 + 4) * VOCABULARY + i], within(1e-4f));
                assertThat(parts.get(0)[(row * 3 + 1) * VOCABULARY + i])
                        .isCloseTo(atOnce[(row * 5 + 1) * VOCABULARY + i], within(1e-4f));
            }
        }
    }

    @Test
    void scaleAttnWeightsFalseDoesNotScaleScores() {
        Gpt2 unscaled = Given.randomized(new Gpt2(with("scale_attn_weights", false), Given.weights()));
        Input input = Input.of(Given.ids(1, 1, 2, 3));
        assertThat(logits(unscaled, input)).isNotEqualTo(logits(model(), input));
    }

    @Test
    void moreTokensThanPositionsAreRejected() {
        Gpt2 model = model();
        assertThat(model.contextLength()).isEqualTo(16);
        logits(model, Input.of(Given.ids(1, new int[16])));
        assertThatThrownBy(() -> model.forward(Input.of(Given.ids(1, new int[17]))))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessage(
                        "gpt2: the text has 17 tokens and the model has positions for 16 (n_positions in config.json);"
                                + " shorten it");
        KeyValueCache cache = model.newCache(17);
        logits(model, Input.next(Given.ids(1, new int[16]), cache));
        assertThatThrownBy(() -> logits(model, Input.next(Given.ids(1, 1), cache)))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("n_positions");
    }

    @ParameterizedTest
    @ValueSource(booleans = {true, false})
    void generatesUntilThePositionsAreUsedUp(boolean cache) {
        Gpt2 model = model();
        int[] prompt = {1, 2, 3};
        var generation = new TextGeneration(Sampling.GREEDY, 50, Set.of(), cache);
        TextGeneration.Result result = generation.generate(model, prompt, _ -> {});
        assertThat(result.end()).isEqualTo(End.CONTEXT_FULL);
        int[] text = IntStream.concat(IntStream.of(prompt), IntStream.of(result.ids()))
                .toArray();
        assertThat(text).hasSize(17);
        float[] scores = logits(model, Input.of(Given.ids(1, Arrays.copyOf(text, 16))));
        for (int i = 2; i < 16; i++) {
            float[] row = Arrays.copyOfRange(scores, i * VOCABULARY, (i + 1) * VOCABULARY);
            int likeliest = IntStream.range(0, VOCABULARY).reduce(0, (a, b) -> row[b] > row[a] ? b : a);
            assertThat(text[i + 1]).as("token %d", i + 1).isEqualTo(likeliest);
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"attn_pdrop", "resid_pdrop", "embd_pdrop"})
    void dropoutIsAppliedInTrainingOnly(String key) {
        Gpt2 model = Given.randomized(new Gpt2(Gpt2Config.read(CONFIG.toJson().set(key, 0.3)), Given.weights()));
        Gpt2 without = Given.randomized(new Gpt2(CONFIG, Given.weights()));
        Input input = Input.of(Given.ids(1, 1, 2, 3, 4));
        assertThat(logits(model, input)).isEqualTo(logits(without, input));
        model.train();
        model.seedDropout(7, 0);
        float[] first = logits(model, input);
        assertThat(first).isNotEqualTo(logits(without, input));
        assertThat(logits(model, input)).isNotEqualTo(first);
        model.seedDropout(7, 0);
        assertThat(logits(model, input)).isEqualTo(first);
    }

    // ---- files ----

    private void write(Gpt2Config config, List<NamedTensor> tensors) throws IOException {
        Files.writeString(folder.resolve("config.json"), config.toJson().toString());
        SafetensorsWriter.write(folder.resolve("model.safetensors"), tensors, Map.of("format", "pt"));
    }

    private static List<NamedTensor> tensors(Gpt2 model, UnaryOperator<String> inFile) {
        List<NamedTensor> tensors = new ArrayList<>();
        model.namedParameters()
                .forEach((name, p) -> tensors.add(NamedTensor.of(inFile.apply(name), p.value(), DType.F32)));
        return tensors;
    }

    private static void assertSame(Gpt2 loaded, Gpt2 model) {
        Map<String, Variable> named = loaded.namedParameters();
        assertThat(named.keySet())
                .containsExactlyElementsOf(model.namedParameters().keySet());
        model.namedParameters()
                .forEach((name, parameter) -> assertThat(named.get(name).value().toFloats())
                        .as(name)
                        .isEqualTo(parameter.value().toFloats()));
    }

    private Gpt2 load() throws IOException {
        return (Gpt2) LanguageModel.load(folder, Device.cpu());
    }

    @Test
    void modelLoadsWhatWasSaved() throws IOException {
        Gpt2 model = model();
        write(CONFIG, tensors(model, name -> name));
        Gpt2 loaded = load();
        assertThat(loaded.config()).isEqualTo(CONFIG);
        assertThat(loaded.vocabSize()).isEqualTo(VOCABULARY);
        assertSame(loaded, model);
    }

    @Test
    void checkpointWithoutTransformerPrefixLoads() throws IOException {
        Gpt2 model = model();
        write(CONFIG, tensors(model, name -> name.replace("transformer.", "")));
        assertSame(load(), model);
    }

    @ParameterizedTest
    @ValueSource(strings = {"transformer.", ""})
    void buffersOfOldCheckpointsAreIgnored(String prefix) throws IOException {
        Gpt2 model = model();
        List<NamedTensor> tensors = tensors(model, name -> name.replace("transformer.", prefix));
        for (int layer = 0; layer < 2; layer++) {
            tensors.add(NamedTensor.of(prefix + "h." + layer + ".attn.bias", Given.random(1, 1, 1, 16, 16)));
            tensors.add(NamedTensor.of(prefix + "h." + layer + ".attn.masked_bias", Given.random(1, 1)));
        }
        tensors.add(NamedTensor.of("lm_head.weight", model.lmHeadWeight().value()));
        write(CONFIG, tensors);
        assertSame(load(), model);
    }

    @Test
    void untiedModelLoadsItsLmHead() throws IOException {
        Gpt2Config untied = with("tie_word_embeddings", false);
        Gpt2 model = Given.randomized(new Gpt2(untied, Given.weights()));
        write(untied, tensors(model, name -> name.replace("transformer.", "")));
        assertSame(load(), model);
    }

    @Test
    void misfitIsReportedWithNamesInTheFile() throws IOException {
        write(Gpt2Config.of(VOCABULARY, 24, 3, 3, 16), tensors(model(), name -> name.replace("transformer.", "")));
        assertThatThrownBy(this::load)
                .isInstanceOf(IOException.class)
                .hasMessageContaining("config.json: n_layer is 3, but model.safetensors has 2 layers")
                .hasMessageContaining("n_embd is 24, but wte.weight in model.safetensors is [11, 12], so 12 is needed")
                .hasMessageContaining("n_inner is 96, but h.0.mlp.c_fc.weight in model.safetensors is [12, 48]");
        List<NamedTensor> tensors = tensors(model(), name -> name);
        tensors.add(NamedTensor.of("transformer.h.0.crossattention.c_attn.weight", Given.random(1, 12, 12)));
        write(CONFIG, tensors);
        assertThatThrownBy(this::load)
                .hasMessageContaining("in the file but not in the model: transformer.h.0.crossattention.c_attn.weight");
    }
}
