package io.gradus.nn.model;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.gradus.autograd.Autograd;
import io.gradus.autograd.Variable;
import io.gradus.core.DType;
import io.gradus.core.Device;
import io.gradus.core.Tensor;
import io.gradus.core.safetensors.NamedTensor;
import io.gradus.core.safetensors.SafetensorsCheckpoint;
import io.gradus.core.safetensors.SafetensorsWriter;
import io.gradus.nn.Given;
import io.gradus.nn.model.gpt2.Gpt2Config;
import io.gradus.nn.model.llama.LlamaConfig;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** A tied output layer in checkpoints with both weights, with one of them, and with different ones: as in transformers 5. */
class WordEmbeddingsTest {
    private static final String HEAD = "lm_head.weight";

    @TempDir
    private Path folder;

    private Path target() {
        return folder.resolve("saved");
    }

    static Stream<ModelConfig> families() {
        return Stream.of(LlamaConfig.of(11, 12, 20, 2, 6, 2, 16), Gpt2Config.of(11, 12, 2, 3, 16));
    }

    // ---- a folder with chosen weights ----

    private static LanguageModel untied(ModelConfig config) {
        return Given.randomized(read(config, false).build(Given.weights()));
    }

    private static ModelConfig read(ModelConfig config, boolean tied) {
        ConfigJson json = config.toJson().set("tie_word_embeddings", tied);
        return ModelFamily.of(json).read(json);
    }

    private static String table(ModelConfig config) {
        return config.wordEmbeddings().orElseThrow().table();
    }

    /** The weights of an untied model, by name. */
    private static Map<String, Tensor> weights(LanguageModel model) {
        Map<String, Tensor> weights = new LinkedHashMap<>();
        model.namedParameters().forEach((name, parameter) -> weights.put(name, parameter.value()));
        return weights;
    }

    private void write(ModelConfig config, boolean tied, Map<String, Tensor> weights) throws IOException {
        List<NamedTensor> tensors = new ArrayList<>();
        weights.forEach((name, tensor) -> tensors.add(NamedTensor.of(name, tensor)));
        Files.writeString(
                folder.resolve("config.json"),
                config.toJson().set("tie_word_embeddings", tied).toString());
        SafetensorsWriter.writeCheckpoint(folder, tensors, Map.of("format", "pt"), 2000); // several shards
    }

    private static float[] logits(LanguageModel model) {
        return Autograd.noGrad(() -> model.forward(LanguageModel.Input.of(Given.ids(1, 3, 1, 4, 1, 5))))
                .value()
                .toFloats();
    }

    private LanguageModel load() throws IOException {
        return ModelFolder.open(folder).load(Device.cpu());
    }

    /** Saves a loaded model, and returns what the saved folder's weights and flag are. */
    private Map<String, Boolean> saved(LanguageModel model) throws IOException {
        ModelFolder.open(folder).save(model, target());
        assertThat(logits(ModelFolder.open(target()).load(Device.cpu()))).isEqualTo(logits(model));
        try (SafetensorsCheckpoint checkpoint = SafetensorsCheckpoint.open(target())) {
            return Map.of(
                    "table", checkpoint.contains(table(model.config())),
                    "head", checkpoint.contains(HEAD),
                    "tied", ConfigJson.read(target()).flag("tie_word_embeddings", true));
        }
    }

    // ---- the cases ----

    @ParameterizedTest
    @MethodSource("families")
    void tiedConfigWithDifferentWeightsStaysUntiedWithAWarning(ModelConfig config) throws IOException {
        LanguageModel model = untied(config);
        write(config, true, weights(model));
        assertThat(warnings()).singleElement().asString().contains("tie_word_embeddings", "different weights");
        LanguageModel loaded = load();
        assertThat(logits(loaded)).isEqualTo(logits(model));
        assertThat(loaded.namedParameters()).containsKeys(table(config), HEAD);
        assertThat(ModelFolder.open(folder).config()).isEqualTo(read(config, false));
        assertThat(saved(loaded)).isEqualTo(Map.of("table", true, "head", true, "tied", false));
    }

    @ParameterizedTest
    @MethodSource("families")
    void tiedConfigWithEqualWeightsIsTied(ModelConfig config) throws IOException {
        Map<String, Tensor> weights = weights(untied(config));
        Tensor shared = Given.random(3, 11, 12).to(DType.BF16);
        weights.put(table(config), shared);
        for (Tensor head : List.of(shared, shared.to(DType.F32))) { // with equal and with different dtypes
            weights.put(HEAD, head);
            write(config, true, weights);
            LanguageModel loaded = load();
            assertThat(loaded.namedParameters()).doesNotContainKey(HEAD);
            assertThat(loaded.lmHeadWeight().value().toFloats()).isEqualTo(shared.toFloats());
            assertThat(warnings()).isEmpty();
            assertThat(saved(loaded)).isEqualTo(Map.of("table", true, "head", false, "tied", true));
        }
    }

    @ParameterizedTest
    @MethodSource("families")
    void tiedConfigWithOnlyTheHeadUsesItAsTheTable(ModelConfig config) throws IOException {
        LanguageModel model = untied(config);
        Map<String, Tensor> weights = weights(model);
        weights.put(HEAD, weights.remove(table(config)));
        write(config, true, weights);
        LanguageModel loaded = load();
        Variable table = loaded.namedParameters().get(table(config));
        assertThat(table.value().toFloats()).isEqualTo(weights.get(HEAD).toFloats());
        assertThat(loaded.lmHeadWeight()).isSameAs(table);
        ModelFolder.open(folder)
                .forEachWeight(
                        loaded,
                        (parameter, tensor) -> assertThat(tensor.toFloats())
                                .isEqualTo(parameter.value().toFloats()));
        assertThat(saved(loaded)).isEqualTo(Map.of("table", true, "head", false, "tied", true));
    }

    @ParameterizedTest
    @MethodSource("families")
    void untiedConfigWithEqualWeightsStaysUntied(ModelConfig config) throws IOException {
        Map<String, Tensor> weights = weights(untied(config));
        weights.put(HEAD, weights.get(table(config)));
        write(config, false, weights);
        LanguageModel loaded = load();
        assertThat(loaded.namedParameters()).containsKeys(table(config), HEAD);
        assertThat(saved(loaded)).isEqualTo(Map.of("table", true, "head", true, "tied", false));
    }

    @ParameterizedTest
    @MethodSource("families")
    void untiedConfigWithoutHeadIsRejected(ModelConfig config) throws IOException {
        Map<String, Tensor> weights = weights(untied(config));
        weights.remove(HEAD);
        write(config, false, weights);
        assertThatThrownBy(this::load)
                .isInstanceOf(IOException.class)
                .hasMessageContaining("has no lm_head.weight, the weight of the output layer")
                .hasMessageContaining("set tie_word_embeddings to true in config.json");
    }

    /** As {@code LlamaModel} and {@code GPT2Model} save themselves. */
    @ParameterizedTest
    @MethodSource("families")
    void namesWithoutThePrefixOfTheModelAreRead(ModelConfig config) throws IOException {
        LanguageModel model = Given.randomized(read(config, true).build(Given.weights()));
        Map<String, Tensor> bare = new LinkedHashMap<>();
        weights(model).forEach((name, tensor) -> bare.put(name.substring(name.indexOf('.') + 1), tensor));
        write(config, true, bare);
        assertThat(logits(load())).isEqualTo(logits(model));
        write(config, false, bare);
        assertThatThrownBy(this::load).hasMessageContaining("has no lm_head.weight");
    }

    private List<String> warnings() throws IOException {
        return LoggedWarnings.of(this::load);
    }
}
