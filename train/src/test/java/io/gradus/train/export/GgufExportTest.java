package io.gradus.train.export;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.gradus.core.Tensor;
import io.gradus.core.safetensors.NamedTensor;
import io.gradus.core.safetensors.SafetensorsWriter;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.stream.Stream;
import java.util.zip.CRC32;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.MethodSource;

/** Compares exported files with what Python's gguf and transformers say; {@code generate.py} beside the fixture made it. */
class GgufExportTest {
    private static final Path FIXTURE = Path.of("src/test/fixtures/gguf/models.json");
    private static final Path TOKENIZERS = Path.of("src/test/fixtures/gguf/tokenizers");
    private static final ObjectMapper JSON = new ObjectMapper();

    private static JsonNode cases = JSON.createObjectNode();

    @TempDir
    private Path temporary;

    @BeforeAll
    static void readFixture() throws IOException {
        cases = JSON.readTree(FIXTURE.toFile());
    }

    private static Stream<String> names() throws IOException {
        readFixture();
        return cases.properties().stream().map(Map.Entry::getKey);
    }

    // ---- a model folder ----

    /** Numbers from −0.5 to 0.5 of the name's CRC-32 and the index. */
    private static float[] weights(String name, int count) {
        CRC32 crc = new CRC32();
        crc.update(name.getBytes(StandardCharsets.UTF_8));
        float[] numbers = new float[count];
        for (int i = 0; i < count; i++) {
            int mixed = (int) crc.getValue() + i * 0x9E3779B9;
            numbers[i] = (float) (Integer.toUnsignedLong(mixed) / 0x1p32 - 0.5);
        }
        return numbers;
    }

    private Path folder(String name) throws IOException {
        return folder(name, "{}");
    }

    /** The model of a case, with changes to its configuration. */
    private Path folder(String name, String changes) throws IOException {
        JsonNode model = cases.get(name);
        Path folder = Files.createDirectories(temporary.resolve("model"));
        try (Stream<Path> files =
                Files.list(TOKENIZERS.resolve(model.get("tokenizer").textValue()))) {
            for (Path file : (Iterable<Path>) files::iterator) {
                Files.copy(file, folder.resolve(file.getFileName()), StandardCopyOption.REPLACE_EXISTING);
            }
        }
        ObjectNode config = model.get("config").deepCopy();
        config.setAll((ObjectNode) JSON.readTree(changes));
        Files.writeString(folder.resolve("config.json"), config.toString());
        List<NamedTensor> tensors = new ArrayList<>();
        model.get("shapes").properties().forEach(entry -> {
            long[] shape = new long[entry.getValue().size()];
            long count = 1;
            for (int i = 0; i < shape.length; i++) {
                shape[i] = entry.getValue().get(i).longValue();
                count *= shape[i];
            }
            tensors.add(NamedTensor.of(entry.getKey(), Tensor.of(weights(entry.getKey(), (int) count), shape)));
        });
        SafetensorsWriter.write(folder.resolve("model.safetensors"), tensors, Map.of("format", "pt"));
        return folder;
    }

    // ---- comparisons ----

    private static Map<String, String> shown(GgufFile file) {
        Map<String, String> tensors = new TreeMap<>();
        file.tensors()
                .forEach((name, tensor) ->
                        tensors.put(name, tensor.type() + " " + tensor.shape() + " " + sha256(tensor.bytes())));
        return tensors;
    }

    private static Map<String, String> shown(JsonNode expected) {
        Map<String, String> tensors = new TreeMap<>();
        expected.properties().forEach(entry -> {
            JsonNode tensor = entry.getValue();
            List<Long> shape = new ArrayList<>();
            tensor.get(1).forEach(length -> shape.add(length.longValue()));
            tensors.put(
                    entry.getKey(),
                    tensor.get(0).textValue() + " " + shape + " "
                            + tensor.get(2).textValue());
        });
        return tensors;
    }

    private static String sha256(byte[] bytes) {
        try {
            return HexFormat.of().formatHex(MessageDigest.getInstance("SHA-256").digest(bytes));
        } catch (NoSuchAlgorithmException e) {
            throw new AssertionError(e);
        }
    }

    @ParameterizedTest
    @MethodSource("names")
    void tensorsEqualThoseOfPythonByteForByte(String name) throws IOException {
        Path folder = folder(name);
        for (Map.Entry<String, JsonNode> expected :
                cases.get(name).get("tensors").properties()) {
            Path file = temporary.resolve(expected.getKey() + ".gguf");
            GgufType type = Stream.of(GgufType.values())
                    .filter(each -> each.toString().equals(expected.getKey()))
                    .findFirst()
                    .orElseThrow();
            GgufExport.of(folder).as(type).write(file);
            assertThat(shown(GgufFile.read(file))).isEqualTo(shown(expected.getValue()));
        }
    }

    @ParameterizedTest
    @MethodSource("names")
    void keysEqualThoseOfPython(String name) throws IOException {
        Path file = temporary.resolve("model.gguf");
        GgufExport.of(folder(name)).write(file);
        Map<String, JsonNode> found = new TreeMap<>();
        GgufFile.read(file).keys().forEach((key, value) -> found.put(key, JSON.valueToTree(value)));
        Map<String, JsonNode> expected = new TreeMap<>();
        for (Map.Entry<String, JsonNode> key : cases.get(name).get("keys").properties()) {
            expected.put(key.getKey(), JSON.readTree(key.getValue().toString()));
        }
        assertThat(found.keySet()).isEqualTo(expected.keySet());
        found.forEach((key, value) -> assertThat(singles(value)).as(key).isEqualTo(singles(expected.get(key))));
    }

    /** The text of a value, in which numbers are in single precision. */
    private static String singles(JsonNode value) {
        if (value.isFloatingPointNumber()) {
            return Float.toString(value.floatValue());
        }
        if (value.isContainerNode()) {
            StringBuilder text = new StringBuilder();
            value.properties().forEach(entry -> text.append(entry.getKey()).append(singles(entry.getValue())));
            if (value.isArray()) {
                value.forEach(element -> text.append(singles(element)).append('\n'));
            }
            return text.toString();
        }
        return value.toString();
    }

    @Test
    void precisionIsThatOfTheFolderUnlessToldOtherwise() throws IOException {
        GgufExport.Written written = GgufExport.of(folder("llama")).write(temporary.resolve("a.gguf"));
        assertThat(written.type()).isEqualTo(GgufType.F32);
        assertThat(written.remarks()).isEmpty();
        GgufExport.Written small =
                GgufExport.of(folder("llama")).as(GgufType.Q8_0).write(temporary.resolve("b.gguf"));
        assertThat(small.bytes()).isLessThan(written.bytes());
        assertThat(small.remarks())
                .containsExactly(
                        "2 matrices are f16: the length of their rows is not a multiple of 32," + " as q8_0 needs");
    }

    @Test
    void contextIsOneWindowWhereLlamaCppHasNone() throws IOException {
        Path file = temporary.resolve("a.gguf");
        GgufExport.Written written =
                GgufExport.of(folder("mistral", "{\"sliding_window\": 9}")).write(file);
        assertThat(GgufFile.read(file).keys().get("llama.context_length").value())
                .isEqualTo(9);
        assertThat(written.remarks()).hasSize(1);
        assertThat(written.remarks().getFirst()).contains("9", "48", "sliding window");
    }

    @Test
    void chatTemplateAndOtherEndsOfAnAnswerAreInTheFile() throws IOException {
        Path folder = folder("llama with llama3");
        Files.writeString(folder.resolve("chat_template.jinja"), "{{ messages[0].content }}");
        Files.writeString(folder.resolve("generation_config.json"), "{\"eos_token_id\": [5, 7]}");
        Path file = temporary.resolve("a.gguf");
        GgufExport.of(folder).write(file);
        Map<String, GgufFile.Value> keys = GgufFile.read(file).keys();
        assertThat(keys.get("tokenizer.chat_template").value()).isEqualTo("{{ messages[0].content }}");
        assertThat(keys.get("tokenizer.ggml.eot_token_id").value()).isEqualTo(5);
        assertThat(keys.get("tokenizer.ggml.eom_token_id").value()).isEqualTo(7);
    }

    @Test
    void sameFolderGivesTheSameFile() throws IOException {
        Path folder = folder("gemma3");
        GgufExport.of(folder).write(temporary.resolve("a.gguf"));
        GgufExport.of(folder).write(temporary.resolve("b.gguf"));
        assertThat(temporary.resolve("a.gguf")).hasSameBinaryContentAs(temporary.resolve("b.gguf"));
    }

    @Test
    void nameOfThePreTokenizerMayBeGiven() throws IOException {
        Path file = temporary.resolve("a.gguf");
        GgufExport.of(folder("gpt2")).preTokenizer("starcoder").write(file);
        assertThat(GgufFile.read(file).keys().get("tokenizer.ggml.pre").value()).isEqualTo("starcoder");
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', textBlock = """
                    llama   | {"hidden_act": "relu"}                   | the activation is ReLU()
                    qwen3   | {"rope_parameters": {"rope_type": "llama3", "rope_theta": 1e4, "factor": 2.0, "low_freq_factor": 1.0, "high_freq_factor": 4.0, "original_max_position_embeddings": 24}} | rope_type is llama3
                    llama   | {"rope_parameters": {"rope_type": "yarn", "rope_theta": 1e4, "factor": 2.0, "original_max_position_embeddings": 24, "attention_factor": 2.0}} | attention_factor of rope_scaling is 2.0
                    smollm3 | {"no_rope_layers": [1, 0]}               | no_rope_layers
                    gemma2  | {"attn_logit_softcapping": null}         | attn_logit_softcapping is null
                    gemma3  | {"query_pre_attn_scalar": 99}            | query_pre_attn_scalar is 99, not 24
                    granite | {"attention_multiplier": 0}              | attention_multiplier is 0
                    gpt2    | {"scale_attn_by_inverse_layer_idx": true} | scale_attn_by_inverse_layer_idx is true
                    """)
    void settingThatLlamaCppDoesNotHaveIsNamed(String name, String change, String message) throws IOException {
        GgufExport export = GgufExport.of(folder(name, change));
        Path file = temporary.resolve("a.gguf");
        assertThatThrownBy(() -> export.write(file))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining(message)
                .hasMessageContaining("which llama.cpp does not have");
        assertThat(file).doesNotExist();
    }

    @Test
    void unknownPreTokenizerIsShownWithTheRemedy() throws IOException {
        Path folder = folder("gpt2");
        Path tokenizer = folder.resolve("tokenizer.json");
        Files.writeString(
                folder.resolve("tokenizer_config.json"), "{\"tokenizer_class\": \"PreTrainedTokenizerFast\"}");
        ObjectNode json = (ObjectNode) JSON.readTree(tokenizer.toFile());
        json.withObject("pre_tokenizer").put("add_prefix_space", true);
        Files.writeString(tokenizer, json.toString());
        GgufExport export = GgufExport.of(folder);
        assertThatThrownBy(() -> export.write(temporary.resolve("a.gguf")))
                .hasMessageContaining(folder.toString())
                .hasMessageContaining("\"add_prefix_space\":true")
                .hasMessageContaining("--pre");
    }

    @Test
    void damagedWeightIsNamed() throws IOException {
        Path folder = folder("llama");
        float[] weights = weights("model.norm.weight", 64);
        weights[3] = Float.NaN;
        List<NamedTensor> tensors = new ArrayList<>();
        cases.get("llama").get("shapes").properties().forEach(entry -> {
            int count = 1;
            long[] shape = new long[entry.getValue().size()];
            for (int i = 0; i < shape.length; i++) {
                shape[i] = entry.getValue().get(i).longValue();
                count *= (int) shape[i];
            }
            boolean norm = entry.getKey().equals("model.norm.weight");
            tensors.add(NamedTensor.of(
                    entry.getKey(), Tensor.of(norm ? weights : weights(entry.getKey(), count), shape)));
        });
        SafetensorsWriter.write(folder.resolve("model.safetensors"), tensors, Map.of());
        GgufExport export = GgufExport.of(folder);
        assertThatThrownBy(() -> export.write(temporary.resolve("a.gguf")))
                .isInstanceOf(IOException.class)
                .hasMessageContaining("model.norm.weight")
                .hasMessageContaining("column 3");
        assertThat(temporary.resolve("a.gguf")).doesNotExist();
    }

    @Test
    void poolingOfSentenceTransformersIsInTheFileOfAnEncoder() throws IOException {
        Path folder = folder("bert");
        Files.writeString(
                folder.resolve("modules.json"),
                "[{\"path\": \"\", \"type\": \"x.Transformer\"}, {\"path\": \"1_Pooling\", \"type\": \"x.Pooling\"}]");
        Files.createDirectory(folder.resolve("1_Pooling"));
        Files.writeString(
                folder.resolve("1_Pooling/config.json"),
                "{\"pooling_mode_cls_token\": false, \"pooling_mode_mean_tokens\": true}");
        Path file = temporary.resolve("a.gguf");
        GgufExport.of(folder).write(file);
        assertThat(GgufFile.read(file).keys().get("bert.pooling_type").value()).isEqualTo(1);
    }

    @Test
    void headThatLlamaCppDoesNotHaveIsRejected() throws IOException {
        GgufExport export = GgufExport.of(
                folder(
                        "llama",
                        "{\"architectures\": [\"LlamaForSequenceClassification\"], \"id2label\": {\"0\": \"a\", \"1\": \"b\"}}"));
        assertThatThrownBy(() -> export.write(temporary.resolve("a.gguf")))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("which llama.cpp does not have for this network");
    }
}
