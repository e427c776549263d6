package io.gradus.nn.model;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.gradus.core.DType;
import io.gradus.core.Device;
import io.gradus.core.safetensors.NamedTensor;
import io.gradus.core.safetensors.SafetensorsWriter;
import io.gradus.nn.Given;
import io.gradus.nn.model.gpt2.Gpt2Config;
import io.gradus.nn.model.llama.LlamaConfig;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.assertj.core.api.ThrowableAssert.ThrowingCallable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** A wrong size in {@code config.json} is reported by its key, and no network of that size is built. */
class ConfigSizeTest {
    /** vocab_size 11, hidden_size 12, intermediate_size 20, two layers, six heads and two key-value heads of two elements. */
    private static final ModelConfig LLAMA = LlamaConfig.of(11, 12, 20, 2, 6, 2, 16);

    private static final ModelConfig GPT2 = Gpt2Config.of(11, 12, 2, 3, 16);

    @TempDir
    private Path folder;

    private void write(ModelConfig config, String key, String value) throws IOException {
        config.build(Given.weights()).save(folder);
        setKey(key, value);
    }

    private void setKey(String key, String value) throws IOException {
        Path file = folder.resolve("config.json");
        Files.writeString(
                file, Files.readString(file).replaceFirst("\"" + key + "\" : [^,}\\n]+", "\"" + key + "\" : " + value));
    }

    private void assertRejected(String... message) {
        for (var attempt : List.<ThrowingCallable>of(
                () -> LanguageModel.load(folder, Device.cpu(1)), () -> new ModelFolder(folder).config())) {
            var thrown = assertThatThrownBy(attempt).isInstanceOf(IOException.class);
            thrown.hasMessageStartingWith(folder.resolve("config.json") + ": ");
            for (String part : message) {
                thrown.hasMessageContaining(part);
            }
        }
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', textBlock = """
        num_hidden_layers       | 3          | but model.safetensors has 2 layers
        num_hidden_layers       | 1          | but model.safetensors has 2 layers
        num_hidden_layers       | 200000     | but model.safetensors has 2 layers
        num_hidden_layers       | 2000000000 | but model.safetensors has 2 layers
        vocab_size              | 1000000000 | model.embed_tokens.weight in model.safetensors is [11, 12], so 11 is needed
        vocab_size              | 10         | model.embed_tokens.weight in model.safetensors is [11, 12], so 11 is needed
        hidden_size             | 24         | model.embed_tokens.weight in model.safetensors is [11, 12], so 12 is needed
        intermediate_size       | 1000000000 | mlp.gate_proj.weight in model.safetensors is [20, 12], so 20 is needed
        intermediate_size       | 19         | mlp.gate_proj.weight in model.safetensors is [20, 12], so 20 is needed
        """)
    void wrongSizeOfALlamaIsNamed(String key, String value, String message) throws IOException {
        write(LLAMA, key, value);
        assertRejected(key + " is " + value + ", but ", message);
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', textBlock = """
        num_attention_heads     | 12    | num_attention_heads × head_dim, 12 × 2, is 24, but model.layers.0.self_attn.q_proj.weight
        num_key_value_heads     | 3     | num_key_value_heads × head_dim, 3 × 2, is 6, but model.layers.0.self_attn.k_proj.weight
        head_dim                | 4     | num_attention_heads × head_dim, 6 × 4, is 24, but model.layers.0.self_attn.q_proj.weight
        head_dim                | 100000000 | 6 × 100000000, is 600000000, but model.layers.0.self_attn.q_proj.weight
        """)
    void wrongHeadsAreNamedAsAProduct(String key, String value, String message) throws IOException {
        write(LLAMA, key, value);
        assertRejected(message);
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', textBlock = """
        n_layer     | 1000000000 | but model.safetensors has 2 layers
        vocab_size  | 12         | transformer.wte.weight in model.safetensors is [11, 12], so 11 is needed
        n_embd      | 24         | transformer.wte.weight in model.safetensors is [11, 12], so 12 is needed
        n_positions | 1000000    | transformer.wpe.weight in model.safetensors is [16, 12], so 16 is needed
        n_inner     | 1000000000 | transformer.h.0.mlp.c_fc.weight in model.safetensors is [12, 48], so 48 is needed
        """)
    void wrongSizeOfAGpt2IsNamed(String key, String value, String message) throws IOException {
        write(GPT2, key, value);
        assertRejected(key + " is " + value + ", but ", message);
    }

    @Test
    void everyWrongSizeIsInOneMessage() throws IOException {
        write(LLAMA, "vocab_size", "13");
        setKey("intermediate_size", "21");
        assertRejected("vocab_size is 13, but ", "intermediate_size is 21, but ");
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', textBlock = """
        vocab_size              | 2000000000 | vocab_size × hidden_size is 2000000000 × 1000000000
        intermediate_size       | 2147483647 | intermediate_size × hidden_size is 2147483647 × 1000000000
        head_dim                | 2147483646 | num_attention_heads × head_dim is 500000000 × 2147483646
        num_hidden_layers       | 99999999999 | num_hidden_layers is 99999999999; it must be at most 2147483647
        hidden_size             | -1         | hidden_size is -1
        """)
    void sizeBeyondAnyTensorIsRejectedWithoutWeights(String key, String value, String message) throws IOException {
        Files.writeString(folder.resolve("config.json"), """
            {"model_type": "llama", "vocab_size" : 2, "hidden_size" : 1000000000, "intermediate_size" : 2,
             "num_hidden_layers" : 1, "num_attention_heads" : 500000000, "head_dim" : 2}
            """);
        setKey(key, value);
        assertThatThrownBy(() -> new ModelFolder(folder).config())
                .isInstanceOf(IOException.class)
                .hasMessageStartingWith(folder.resolve("config.json") + ": " + message);
    }

    /** The file's own names must not decide how much is built either. */
    @Test
    void indexFarAboveTheNumberOfTensorsIsNoLayer() throws IOException {
        write(LLAMA, "num_hidden_layers", "900000001");
        List<NamedTensor> tensors = new ArrayList<>();
        LLAMA.build(Given.weights())
                .namedParameters()
                .forEach((name, parameter) -> tensors.add(NamedTensor.of(name, parameter.value(), DType.F32)));
        tensors.add(NamedTensor.of("model.layers.900000000.mlp.up_proj.weight", Given.random(1, 20, 12)));
        SafetensorsWriter.write(folder.resolve("model.safetensors"), tensors, Map.of());
        assertRejected("num_hidden_layers is 900000001, but model.safetensors has 2 layers");
    }

    @Test
    void checkpointOfAnotherNetworkListsBothNames() throws IOException {
        write(LLAMA, "vocab_size", "11");
        Path other = Files.createDirectory(folder.resolve("other"));
        GPT2.build(Given.weights()).save(other);
        Files.copy(folder.resolve("config.json"), other.resolve("config.json"), StandardCopyOption.REPLACE_EXISTING);
        assertThatThrownBy(() -> LanguageModel.load(other, Device.cpu(1)))
                .isInstanceOf(IOException.class)
                .hasMessageContaining("missing in the file: model.embed_tokens.weight")
                .hasMessageContaining("in the file but not in the model: transformer.h.0.attn.c_attn.bias");
        setKey("num_hidden_layers", "2000000000");
        Files.copy(folder.resolve("config.json"), other.resolve("config.json"), StandardCopyOption.REPLACE_EXISTING);
        assertThatThrownBy(() -> LanguageModel.load(other, Device.cpu(1)))
                .hasMessageContaining("num_hidden_layers is 2000000000, but model.safetensors has 0 layers");
    }

    @Test
    void configWithoutWeightsIsComplete() throws IOException {
        write(LLAMA, "num_hidden_layers", "200");
        Files.delete(folder.resolve("model.safetensors"));
        assertThat(new ModelFolder(folder).config().numHiddenLayers()).isEqualTo(200);
    }
}
