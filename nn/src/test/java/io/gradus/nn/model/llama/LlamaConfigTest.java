package io.gradus.nn.model.llama;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.gradus.nn.model.ConfigJson;
import io.gradus.nn.model.ModelFolder;
import io.gradus.nn.model.llama.RotaryTable.Llama3Scaling;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class LlamaConfigTest {
    private static final ObjectMapper JSON = new ObjectMapper();

    /** The required keys. */
    private static final String LEAST = """
        {"model_type": "llama", "vocab_size": 96, "hidden_size": 32, "intermediate_size": 56, "num_hidden_layers": 2,
             "num_attention_heads": 4}
        """;

    /** The required keys with some added or replaced; single quotes stand for double ones. */
    private static LlamaConfig parse(String keys) {
        try {
            ObjectNode json = (ObjectNode) JSON.readTree(LEAST);
            json.setAll((ObjectNode) JSON.readTree(keys.replace('\'', '"')));
            return LlamaConfig.read(ConfigJson.parse(json.toString()));
        } catch (JsonProcessingException e) {
            throw new AssertionError(e);
        }
    }

    // ---- reading ----

    @Test
    void missingKeysHaveTransformersDefaults() {
        assertThat(parse("{}"))
                .isEqualTo(new LlamaConfig(
                        96, 32, 56, 2, 4, 4, 8, 2048, 1e-6, 10_000, null, false, false, false, false, 0.02));
        assertThat(parse("{'head_dim': null, 'rope_scaling': null, 'num_key_value_heads': null}"))
                .isEqualTo(parse("{}"));
    }

    @Test
    void everyKeyIsRead() {
        assertThat(parse("""
            {'model_type': 'llama', 'num_key_value_heads': 2, 'head_dim': 16, 'max_position_embeddings': 128,
             'rms_norm_eps': 1e-5, 'rope_theta': 500000, 'tie_word_embeddings': true, 'attention_bias': true,
             'mlp_bias': true, 'initializer_range': 0.3, 'hidden_act': 'silu', 'torch_dtype': 'bfloat16'}\
            """))
                .isEqualTo(new LlamaConfig(
                        96, 32, 56, 2, 4, 2, 16, 128, 1e-5, 500_000, null, true, true, true, true, 0.3));
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "{'rope_theta': 20.5, 'rope_scaling': {'rope_type': 'llama3', SCALING}}",
                "{'rope_theta': 20.5, 'rope_scaling': {'type': 'llama3', SCALING}}",
                "{'rope_parameters': {'rope_theta': 20.5, 'rope_type': 'llama3', SCALING}}",
                "{'rope_theta': 1e6, 'rope_scaling': null, 'rope_parameters': {'rope_theta': 20.5, 'rope_type':"
                        + " 'llama3', SCALING}}"
            })
    void llama3RopeIsReadInEverySpelling(String keys) {
        LlamaConfig config = parse(keys.replace(
                "SCALING",
                "'factor': 8, 'low_freq_factor': 1.0, 'high_freq_factor': 4.0,"
                        + " 'original_max_position_embeddings': 8192"));
        assertThat(config.ropeTheta()).isEqualTo(20.5);
        assertThat(config.ropeScaling()).isEqualTo(new Llama3Scaling(8, 1, 4, 8192));
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "{'rope_theta': 20.5}",
                "{'rope_theta': 20.5, 'rope_scaling': {'rope_type': 'default'}}",
                "{'rope_parameters': {'rope_theta': 20.5, 'rope_type': 'default'}}",
                "{'rope_parameters': {'rope_type': 'default'}, 'rope_theta': 20.5}"
            })
    void unscaledRopeIsReadInEverySpelling(String keys) {
        assertThat(parse(keys).ropeTheta()).isEqualTo(20.5);
        assertThat(parse(keys).ropeScaling()).isNull();
    }

    @Test
    void qwen2HasBiasesOfQueryKeyAndValueOnly() {
        LlamaConfig qwen2 = parse("{'model_type': 'qwen2', 'sliding_window': 4096, 'use_sliding_window': false}");
        assertThat(qwen2.attentionBias()).isTrue();
        assertThat(qwen2.outputBias()).isFalse();
        assertThat(parse("{'model_type': 'qwen2', 'sliding_window': 4096}")).isEqualTo(qwen2);
        assertThat(parse("{'attention_bias': true}").outputBias())
                .as("Llama's bias")
                .isTrue();
    }

    @Test
    void mistralWithoutSlidingWindowIsALlama() {
        assertThat(parse("{'model_type': 'mistral', 'sliding_window': null}")).isEqualTo(parse("{}"));
    }

    // ---- rejected values ----

    @ParameterizedTest
    @CsvSource(delimiter = '|', quoteCharacter = '"', textBlock = """
        {'model_type': 'mistral', 'sliding_window': 4096} | sliding_window is set
        {'model_type': 'qwen2', 'sliding_window': 4096, 'use_sliding_window': true} | sliding_window is set
        {'hidden_act': 'gelu'}                  | hidden_act is 'gelu'; silu is supported
        {'rope_scaling': {'type': 'linear', 'factor': 2}} | rope_type is 'linear'; default and llama3 are supported
        {'rope_parameters': {'rope_type': 'yarn'}} | rope_type is 'yarn'
        {'rope_scaling': {'rope_type': 'llama3'}} | rope_scaling.factor is missing
                    {'model_type': 'qwen2', 'layer_types': ['full_attention', 'sliding_attention']} | layer_types is [full_attention, sliding_attention]
                    {'mlp_bias': 'yes'}                     | mlp_bias is "yes", not true or false
        {'vocab_size': null}                    | vocab_size is missing
        {'hidden_size': null}                   | hidden_size is missing
        {'intermediate_size': null}             | intermediate_size is missing
        {'num_hidden_layers': null}             | num_hidden_layers is missing
        {'num_attention_heads': null}           | num_attention_heads is missing
        {'hidden_size': '32'}                   | hidden_size is "32", not a whole number
        {'hidden_size': 32.5}                   | hidden_size is 32.5, not a whole number
        {'hidden_size': 99999999999}            | hidden_size is 99999999999; it must be at most 2147483647
        {'rope_theta': 'big'}                   | rope_theta is "big", not a number
        {'vocab_size': 0}                       | vocab_size is 0; it must be at least 1
        {'hidden_size': -32}                    | hidden_size is -32; it must be at least 1
        {'intermediate_size': 0}                | intermediate_size is 0; it must be at least 1
        {'num_hidden_layers': 0}                | num_hidden_layers is 0; it must be at least 1
        {'num_attention_heads': 0}              | num_attention_heads is 0
        {'num_key_value_heads': 0}              | num_key_value_heads is 0; it must be at least 1
        {'max_position_embeddings': 0}          | max_position_embeddings is 0; it must be at least 1
        {'head_dim': 0}                         | head_dim is 0; it must be at least 1
        {'head_dim': 7}                         | head_dim is 7; rotary positions need an even one
        {'num_attention_heads': 5}              | hidden_size is 32, which is not a multiple of num_attention_heads, 5
        {'num_key_value_heads': 3}              | num_attention_heads is 4, which is not a multiple of num_key_value_heads, 3
        {'rms_norm_eps': -1}                    | rms_norm_eps is -1.0
        {'rms_norm_eps': 1}                     | rms_norm_eps is 1.0
        {'rope_theta': 1}                       | rope_theta is 1.0
        {'initializer_range': -0.1}             | initializer_range is -0.1
        {'model_type': 'qwen2', 'mlp_bias': true} | mlp_bias is set, which model_type qwen2 does not have
        """)
    void invalidValueIsRejectedWithItsKey(String keys, String message) {
        assertThatThrownBy(() -> parse(keys))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageStartingWith("config.json: " + message);
    }

    @Test
    void outputBiasWithoutInputBiasIsRejected() {
        assertThatThrownBy(() -> new LlamaConfig(
                        96, 32, 56, 2, 4, 4, 8, 64, 1e-6, 10_000, null, false, false, true, false, 0.02))
                .hasMessageContaining("o_proj has a bias and q_proj has none");
    }

    @Test
    void hiddenSizeNotDivisibleByHeadsIsRejected() {
        assertThatThrownBy(() -> LlamaConfig.of(96, 32, 56, 2, 5, 5, 64))
                .hasMessageContaining("hidden_size is 32, which is not a multiple of num_attention_heads, 5");
    }

    // ---- files ----

    @Test
    void errorNamesTheFile(@TempDir Path folder) throws IOException {
        Path file = folder.resolve("config.json");
        assertThatThrownBy(() -> new ModelFolder(folder).config())
                .isInstanceOf(IOException.class)
                .hasMessageContaining(file + " is missing");
        Files.writeString(file, "{\"vocab_size\": 96,");
        assertThatThrownBy(() -> new ModelFolder(folder).config())
                .isInstanceOf(IOException.class)
                .hasMessageContaining(file + " is not JSON");
        Files.writeString(file, "[]");
        assertThatThrownBy(() -> new ModelFolder(folder).config()).hasMessage(file + " is not an object");
        Files.writeString(file, "");
        assertThatThrownBy(() -> new ModelFolder(folder).config()).hasMessage(file + " is not an object");
        Files.writeString(file, LEAST.replace("96", "0"));
        assertThatThrownBy(() -> new ModelFolder(folder).config())
                .isInstanceOf(IOException.class)
                .hasMessage(file + ": vocab_size is 0; it must be at least 1");
        Files.writeString(file, LEAST.replace("\"hidden_size\": 32", "\"hidden_size\": 32, \"hidden_size\": 64"));
        assertThatThrownBy(() -> new ModelFolder(folder).config())
                .isInstanceOf(IOException.class)
                .hasMessageContaining("hidden_size");
    }

    // ---- round trip ----

    @ParameterizedTest
    @ValueSource(
            strings = {
                "{}",
                "{'num_key_value_heads': 2, 'head_dim': 16, 'max_position_embeddings': 128, 'rms_norm_eps': 1e-5,"
                        + " 'tie_word_embeddings': true, 'attention_bias': true, 'mlp_bias': true}",
                "{'model_type': 'qwen2', 'rope_theta': 1e6}",
                "{'rope_parameters': {'rope_theta': 5e5, 'rope_type': 'llama3', 'factor': 8.0, 'low_freq_factor': 1.0,"
                        + " 'high_freq_factor': 4.0, 'original_max_position_embeddings': 8192}}"
            })
    void configSurvivesJson(String keys) {
        LlamaConfig config = parse(keys);
        assertThat(LlamaConfig.read(config.toJson())).isEqualTo(config);
    }

    @Test
    void newConfigSurvivesJson() {
        LlamaConfig config = LlamaConfig.of(256, 32, 64, 2, 4, 2, 128);
        assertThat(config.headDim()).isEqualTo(8);
        assertThat(config.tieWordEmbeddings()).isTrue();
        assertThat(LlamaConfig.read(config.toJson())).isEqualTo(config);
    }

    @Test
    void toJsonHasModelTypeAndArchitecture() {
        ConfigJson llama = parse("{}").toJson();
        assertThat(llama.text("model_type", "")).isEqualTo("llama");
        assertThat(llama.texts("architectures")).containsExactly("LlamaForCausalLM");
        ConfigJson qwen2 = parse("{'model_type': 'qwen2'}").toJson();
        assertThat(qwen2.text("model_type", "")).isEqualTo("qwen2");
        assertThat(qwen2.texts("architectures")).containsExactly("Qwen2ForCausalLM");
    }
}
