package io.gradus.nn.model.family;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.gradus.autograd.Autograd;
import io.gradus.autograd.Variable;
import io.gradus.core.DType;
import io.gradus.core.Device;
import io.gradus.core.MemoryCategory;
import io.gradus.core.Tensor;
import io.gradus.core.safetensors.NamedTensor;
import io.gradus.core.safetensors.SafetensorsWriter;
import io.gradus.nn.Given;
import io.gradus.nn.WeightSource;
import io.gradus.nn.generate.Sampling;
import io.gradus.nn.generate.TextGeneration;
import io.gradus.nn.generate.TextGeneration.End;
import io.gradus.nn.generate.TextGeneration.Result;
import io.gradus.nn.model.ConfigJson;
import io.gradus.nn.model.LanguageModel;
import io.gradus.nn.model.LoggedWarnings;
import io.gradus.nn.model.ModelConfig;
import io.gradus.nn.model.ModelFolder;
import io.gradus.nn.model.PretrainedModel.Input;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** A family defined outside of the library, with no access to package-private members. */
class ModelFamilyTest {
    private static final BigramConfig CONFIG = new BigramConfig(11, 6, 2, 9);
    private static final int[] IDS = {3, 1, 4, 1, 5};

    @TempDir
    private Path folder;

    private static LanguageModel model() {
        return CONFIG.build(WeightSource.random(Device.cpu(), 3));
    }

    private static float[] logits(LanguageModel model) {
        return Autograd.noGrad(() -> model.forward(Input.of(Tensor.of(IDS, 1, IDS.length))))
                .value()
                .toFloats();
    }

    private LanguageModel load() throws IOException {
        return LanguageModel.load(folder, Device.cpu());
    }

    // ---- a user's family ----

    @Test
    void customFamilyLoadsWhatItSaved() throws IOException {
        model().save(folder);
        LanguageModel loaded = load();
        assertThat(loaded).isInstanceOf(Bigram.class);
        assertThat(loaded.config()).isEqualTo(CONFIG);
        assertThat(loaded.vocabSize()).isEqualTo(11);
        assertThat(loaded.contextLength()).isEqualTo(9);
        assertThat(loaded.device()).isEqualTo(Device.cpu());
        assertThat(logits(loaded)).isEqualTo(logits(model()));
    }

    @Test
    void customFamilySavesTrainedWeightsWithTheFoldersSettings() throws IOException {
        model().save(folder);
        Files.writeString(folder.resolve("config.json"), CONFIG.toJson().set("comment", "kept") + "\n");
        ModelFolder base = ModelFolder.open(folder);
        LanguageModel trained = Given.randomized(base.load(Device.cpu()));
        Path target = folder.resolve("trained");
        base.save(trained, target);
        assertThat(logits(LanguageModel.load(target, Device.cpu()))).isEqualTo(logits(trained));
        assertThat(ConfigJson.read(target).text("comment", "")).isEqualTo("kept");
    }

    @Test
    void customFamilyMapsTensorNamesAndIgnoresTensors() throws IOException {
        List<NamedTensor> tensors = new ArrayList<>();
        model().namedParameters()
                .forEach((name, parameter) -> tensors.add(NamedTensor.of("old." + name, parameter.value())));
        tensors.add(NamedTensor.of("step", Tensor.of(new int[] {7}, 1)));
        Files.writeString(folder.resolve("config.json"), CONFIG.toJson().toString());
        SafetensorsWriter.write(folder.resolve("model.safetensors"), tensors, Map.of());
        LanguageModel loaded = load();
        assertThat(logits(loaded)).isEqualTo(logits(model()));
        ModelFolder.open(folder)
                .forEachWeight(
                        loaded,
                        (parameter, tensor) -> assertThat(tensor.toFloats())
                                .as(parameter.name())
                                .isEqualTo(parameter.value().toFloats()));
    }

    /** The network ignores the cache, so both ways read the whole sequence for each token. */
    @ParameterizedTest
    @ValueSource(booleans = {true, false})
    void customFamilyGenerates(boolean useCache) {
        LanguageModel model = model();
        List<Integer> expected = new ArrayList<>();
        int last = 4;
        for (int i = 0; i < 7; i++) {
            last = argmax(model, last);
            expected.add(last);
        }
        Result result = new TextGeneration(Sampling.GREEDY, 20, Set.of(), useCache)
                .generate(model, new int[] {1, 2, 4}, _ -> {});
        assertThat(result.ids()).startsWith(expected.stream().mapToInt(i -> i).toArray());
        assertThat(result.end()).isEqualTo(End.CONTEXT_FULL);
    }

    private static int argmax(LanguageModel model, int id) {
        float[] logits = Autograd.noGrad(() -> model.forward(Input.of(Tensor.of(new int[] {id}, 1, 1))))
                .value()
                .toFloats();
        int best = 0;
        for (int i = 0; i < logits.length; i++) {
            best = logits[i] > logits[best] ? i : best;
        }
        return best;
    }

    @Test
    void activationCheckpointingOfACustomFamilyKeepsGradients() {
        assertThat(gradients(true)).isEqualTo(gradients(false));
    }

    private static List<List<Float>> gradients(boolean checkpointing) {
        LanguageModel model = model();
        model.setActivationCheckpointing(checkpointing);
        Tensor targets = Tensor.of(new int[] {1, 4, 1, 5, -100}, 1, IDS.length);
        model.lossSum(Input.of(Tensor.of(IDS, 1, IDS.length)), targets, 0).backward();
        return model.parameters().stream()
                .map(Variable::grad)
                .map(gradient -> {
                    List<Float> elements = new ArrayList<>();
                    for (float element : gradient.toFloats()) {
                        elements.add(element);
                    }
                    return elements;
                })
                .toList();
    }

    @Test
    void memoryOfACustomFamilyIsCountedOnTheMetaDevice() throws IOException {
        model().save(folder);
        ModelConfig config = new ModelFolder(folder.resolve("config.json")).config();
        Device meta = Device.meta();
        LanguageModel model = config.build(WeightSource.random(meta, 0).to(DType.BF16));
        assertThat(model.parameterCount()).isEqualTo(11 * 6 + 2 * (6 * 6 + 6) + 6 * 11);
        assertThat(meta.backend().memory().live(MemoryCategory.WEIGHTS)).isEqualTo(2 * model.parameterCount());
        assertThat(config.numHiddenLayers()).isEqualTo(2);
        assertThat(config.hiddenSize()).isEqualTo(6);
    }

    // ---- errors and warnings ----

    private void write(String config) throws IOException {
        Files.writeString(folder.resolve("config.json"), config);
    }

    @Test
    void unknownModelTypeIsRejectedWithTheKnownOnesAndTheWayToAddOne() throws IOException {
        write("{\"model_type\": \"electra\"}");
        assertThatThrownBy(this::load)
                .isInstanceOf(IOException.class)
                .hasMessage(folder.resolve("config.json")
                        + ": model_type is 'electra'; known types are awd_lstm, bert, bigram, distilbert, gemma2, gemma3_text,"
                        + " gpt2, gpt_neox, granite, llama, mistral, modernbert, olmo2, phi3, qwen2, qwen3, roberta, smollm3,"
                        + " twin, xlm-roberta; to add"
                        + " one, implement io.gradus.nn.model.ModelFamily and name the class in"
                        + " META-INF/services/io.gradus.nn.model.ModelFamily");
    }

    @ParameterizedTest
    @ValueSource(strings = {"{}", "{\"model_type\": null}"})
    void missingModelTypeIsRejected(String config) throws IOException {
        write(config);
        assertThatThrownBy(this::load)
                .isInstanceOf(IOException.class)
                .hasMessageContaining(
                        "model_type is missing; known types are awd_lstm, bert, bigram, distilbert, gemma2");
    }

    @Test
    void modelTypeOfTwoFamiliesIsRejectedWithBothNames() throws IOException {
        write("{\"model_type\": \"twin\"}");
        assertThatThrownBy(this::load)
                .isInstanceOf(IOException.class)
                .hasMessageContaining(FirstTwinFamily.class.getName() + " and " + SecondTwinFamily.class.getName());
    }

    @Test
    void missingKeyOfACustomFamilyNamesTheFile() throws IOException {
        write("{\"model_type\": \"bigram\", \"vocab_size\": 11}");
        assertThatThrownBy(this::load)
                .isInstanceOf(IOException.class)
                .hasMessage(folder.resolve("config.json") + ": dim is missing");
    }

    @Test
    void settingsThatTheFamilyDoesNotReadAreNamedInAWarning() throws IOException {
        model().save(folder);
        assertThat(warnings()).isEmpty();
        write(CONFIG.toJson().set("logit_scale", 0.5).set("use_bias", false).toString());
        assertThat(warnings())
                .singleElement()
                .asString()
                .contains("ignored: logit_scale;")
                .doesNotContain("use_bias");
    }

    private List<String> warnings() throws IOException {
        return LoggedWarnings.of(this::load);
    }
}
