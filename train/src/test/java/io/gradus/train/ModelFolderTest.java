package io.gradus.train;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.gradus.core.DType;
import io.gradus.core.Device;
import io.gradus.core.MemoryCategory;
import io.gradus.core.safetensors.Entry;
import io.gradus.core.safetensors.SafetensorsCheckpoint;
import io.gradus.nn.model.ConfigJson;
import io.gradus.nn.model.LanguageModel;
import io.gradus.nn.model.ModelFamily;
import io.gradus.nn.model.ModelFolder;
import io.gradus.nn.model.gpt2.Gpt2;
import io.gradus.nn.model.llama.Llama;
import java.io.IOException;
import java.nio.FloatBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class ModelFolderTest {
    private static final Path FIXTURES = Path.of("src/test/fixtures");
    private static final ObjectMapper JSON = new ObjectMapper();

    @TempDir
    private Path folder;

    @Test
    void loadBuildsTheFamilyOfModelType() throws IOException {
        assertThat(load(FIXTURES.resolve("gpt2/tied"))).isInstanceOf(Gpt2.class);
        assertThat(load(FIXTURES.resolve("llama/grouped-tied"))).isInstanceOf(Llama.class);
        assertThat(load(FIXTURES.resolve("llama/qwen2-bias"))).isInstanceOf(Llama.class);
    }

    /** A load of these folders logs no warning. */
    @ParameterizedTest
    @ValueSource(strings = {"gpt2/tied", "gpt2/untied", "llama/grouped-tied", "llama/qwen2-bias", "llama/llama3-rope"})
    void everySettingOfTransformersConfigsIsHonored(String fixture) throws IOException {
        ConfigJson json = ConfigJson.read(FIXTURES.resolve(fixture));
        ModelFamily.of(json).read(json);
        assertThat(json.unreadKeys()).isEmpty();
    }

    private static LanguageModel load(Path folder) throws IOException {
        return ModelFolder.open(folder).load(Device.cpu());
    }

    @Test
    void unknownModelTypeIsRejectedWithTheKnownOnes() throws IOException {
        Path config = Files.writeString(folder.resolve("config.json"), "{\"model_type\": \"electra\"}");
        assertThatThrownBy(() -> load(folder))
                .isInstanceOf(IOException.class)
                .hasMessageStartingWith(config
                        + ": model_type is 'electra'; known types are awd_lstm, bert, distilbert, gemma2, gemma3_text, gpt2,"
                        + " gpt_neox, granite, llama, mistral, modernbert, olmo2, phi3, qwen2, qwen3, roberta, smollm3,"
                        + " xlm-roberta; to add one, ")
                .hasMessageContaining("META-INF/services/io.gradus.nn.model.ModelFamily");
    }

    @Test
    void missingFolderOrConfigIsNamed() {
        assertThatThrownBy(() -> load(folder.resolve("none")))
                .isInstanceOf(IOException.class)
                .hasMessageContaining("none is missing");
        assertThatThrownBy(() -> load(folder))
                .isInstanceOf(IOException.class)
                .hasMessageContaining(folder + ": it is empty");
    }

    /** Names, values and settings survive, so transformers reads the saved folder like its own. */
    @ParameterizedTest
    @ValueSource(strings = {"gpt2/tied", "gpt2/untied", "llama/grouped-tied", "llama/grouped-untied"})
    void savingAnUntrainedModelKeepsWhatTransformersWrote(String fixture) throws IOException {
        Path source = FIXTURES.resolve(fixture);
        Path saved = saveAgain(source, "first");
        assertThat(tensors(saved)).isEqualTo(tensors(source));
        assertThat(saved.resolve("generation_config.json"))
                .hasSameTextualContentAs(source.resolve("generation_config.json"));
        assertThat(config(saved)).isEqualTo(((ObjectNode) config(source)).put("torch_dtype", "float32"));

        Path again = saveAgain(saved, "second");
        assertThat(again.resolve("model.safetensors")).hasSameBinaryContentAs(saved.resolve("model.safetensors"));
        assertThat(again.resolve("config.json")).hasSameBinaryContentAs(saved.resolve("config.json"));
    }

    private Path saveAgain(Path source, String name) throws IOException {
        ModelFolder loaded = ModelFolder.open(source);
        Path target = folder.resolve(name);
        loaded.save(loaded.load(Device.cpu()), target);
        return target;
    }

    /** Dtype, shape and elements by name. */
    private static Map<String, List<Object>> tensors(Path folder) throws IOException {
        Map<String, List<Object>> tensors = new TreeMap<>();
        try (SafetensorsCheckpoint file = SafetensorsCheckpoint.open(folder)) {
            for (Entry entry : file.entries()) {
                float[] elements = file.read(entry.name(), Device.cpu(), DType.F32, MemoryCategory.WORKSPACE)
                        .toFloats();
                tensors.put(entry.name(), List.of(entry.dtype(), entry.shape(), FloatBuffer.wrap(elements)));
            }
        }
        return tensors;
    }

    private static JsonNode config(Path folder) throws IOException {
        return JSON.readTree(folder.resolve("config.json").toFile());
    }
}
