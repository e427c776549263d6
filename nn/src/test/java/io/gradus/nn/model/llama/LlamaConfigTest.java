package io.gradus.nn.model.llama;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.gradus.nn.Activation;
import io.gradus.nn.model.ConfigJson;
import io.gradus.nn.model.ModelFolder;
import io.gradus.nn.model.decoder.DecoderSettings;
import io.gradus.nn.model.decoder.Rope;
import io.gradus.nn.model.decoder.RopeScaling;
import io.gradus.nn.model.decoder.SlidingWindow;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Set;
import org.jspecify.annotations.Nullable;
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

    /** The required keys as a configuration of one type; the components that follow the sizes are given. */
    private static LlamaConfig config(
            LlamaType type,
            int keyValueHeads,
            int headDim,
            int context,
            double theta,
            @Nullable RopeScaling scaling,
            SlidingWindow window) {
        DecoderSettings settings = settings(
                4, keyValueHeads, headDim, Activation.SILU, context, 1e-6, new Rope(theta, scaling, headDim), window);
        return new LlamaConfig(type, settings, false, false);
    }

    private static DecoderSettings settings(
            int heads,
            int keyValueHeads,
            int headDim,
            Activation activation,
            int context,
            double eps,
            Rope rope,
            SlidingWindow window) {
        return new DecoderSettings(
                96,
                32,
                56,
                2,
                heads,
                keyValueHeads,
                headDim,
                activation,
                context,
                eps,
                rope,
                false,
                0,
                window,
                null,
                0.02);
    }

    // ---- reading ----

    @Test
    void missingKeysHaveTransformersDefaults() {
        assertThat(parse("{}")).isEqualTo(config(LlamaType.LLAMA, 4, 8, 2048, 10_000, null, SlidingWindow.NONE));
        assertThat(parse("{'head_dim': null, 'rope_scaling': null, 'num_key_value_heads': null, 'pad_token_id': null,"
                        + " 'rope_parameters': null, 'attention_dropout': null, 'quantization_config': null}"))
                .isEqualTo(parse("{}"));
        assertThat(parse("{'model_type': 'mistral', 'num_attention_heads': 8, 'head_dim': 8}"))
                .isEqualTo(new LlamaConfig(
                        LlamaType.MISTRAL,
                        settings(
                                8,
                                8,
                                8,
                                Activation.SILU,
                                131_072,
                                1e-6,
                                new Rope(10_000, null, 8),
                                new SlidingWindow(4096, 0, Set.of())),
                        false,
                        false));
        assertThat(parse("{'model_type': 'qwen2', 'num_key_value_heads': null}"))
                .isEqualTo(config(LlamaType.QWEN2, 4, 8, 32_768, 10_000, null, SlidingWindow.NONE));
        assertThat(parse("{'model_type': 'qwen2', 'num_attention_heads': 32, 'head_dim': 2}")
                        .settings()
                        .numKeyValueHeads())
                .isEqualTo(32);
    }

    @Test
    void everyKeyIsRead() {
        assertThat(parse("""
            {'model_type': 'llama', 'num_key_value_heads': 2, 'head_dim': 16, 'max_position_embeddings': 128,
             'rms_norm_eps': 1e-5, 'rope_theta': 500000, 'tie_word_embeddings': true, 'attention_bias': true,
             'mlp_bias': true, 'initializer_range': 0.3, 'hidden_act': 'gelu', 'torch_dtype': 'bfloat16',
             'attention_dropout': 0.25, 'pad_token_id': 7}\
            """))
                .isEqualTo(new LlamaConfig(
                        LlamaType.LLAMA,
                        new DecoderSettings(
                                96,
                                32,
                                56,
                                2,
                                4,
                                2,
                                16,
                                Activation.GELU,
                                128,
                                1e-5,
                                new Rope(500_000, null, 16),
                                true,
                                0.25,
                                SlidingWindow.NONE,
                                7,
                                0.3),
                        true,
                        true));
    }

    @Test
    void negativePaddingIndexCountsFromTheEnd() {
        assertThat(parse("{'pad_token_id': -1}").settings().padTokenId()).isEqualTo(95);
    }

    private static final String LLAMA3 = "'factor': 8, 'low_freq_factor': 1.0, 'high_freq_factor': 4.0";

    @ParameterizedTest
    @ValueSource(
            strings = {
                "{'rope_theta': 20.5, 'rope_scaling': {'rope_type': 'llama3', SCALING, 'original_max_position_embeddings': 8192}}",
                "{'rope_theta': 20.5, 'rope_scaling': {'type': 'llama3', SCALING, 'original_max_position_embeddings': 8192}}",
                "{'rope_theta': 3, 'rope_scaling': {'rope_theta': 20.5, 'rope_type': 'llama3', SCALING,"
                        + " 'original_max_position_embeddings': 8192}}",
                "{'rope_parameters': {'rope_theta': 20.5, 'rope_type': 'llama3', SCALING,"
                        + " 'original_max_position_embeddings': 8192}}",
                "{'rope_theta': 3, 'rope_parameters': {'rope_theta': 20.5, 'rope_type': 'llama3', 'type': 'yarn', SCALING,"
                        + " 'original_max_position_embeddings': 8192}}",
                "{'rope_scaling': {'rope_theta': 20.5, 'rope_type': 'llama3', SCALING, 'original_max_position_embeddings':"
                        + " 8192}, 'rope_parameters': {'rope_type': 'linear', 'factor': 2.0, 'rope_theta': 3.0}}",
                "{'rope_scaling': {}, 'rope_parameters': {'rope_theta': 20.5, 'rope_type': 'llama3', SCALING,"
                        + " 'original_max_position_embeddings': 8192}}",
                "{'rope_parameters': {'rope_theta': 20.5, 'rope_type': 'llama3', SCALING},"
                        + " 'max_position_embeddings': 8192}",
                "{'rope_parameters': {'rope_theta': 20.5, 'rope_type': 'llama3', SCALING,"
                        + " 'original_max_position_embeddings': 100}, 'original_max_position_embeddings': 8192}"
            })
    void llama3RopeIsReadInEverySpelling(String keys) {
        LlamaConfig config = parse(keys.replace("SCALING", LLAMA3));
        assertThat(config.settings().rope().theta()).isEqualTo(20.5);
        assertThat(config.settings().rope().scaling()).isEqualTo(new RopeScaling.Llama3(8, 1, 4, 8192));
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "{'rope_theta': 20.5}",
                "{'rope_theta': 20.5, 'rope_scaling': {'rope_type': 'default'}}",
                "{'rope_parameters': {'rope_theta': 20.5, 'rope_type': 'default'}}",
                "{'rope_parameters': {'rope_type': 'default'}, 'rope_theta': 20.5}",
                "{'rope_parameters': {'rope_theta': 20.5, 'partial_rotary_factor': 0.5}}",
                "{'rope_theta': 20.5, 'partial_rotary_factor': 0.5}"
            })
    void unscaledRopeIsReadInEverySpelling(String keys) {
        assertThat(parse(keys).settings().rope().theta()).isEqualTo(20.5);
        assertThat(parse(keys).settings().rope().scaling()).isNull();
    }

    @Test
    void otherKindsOfRopeAreRead() {
        assertThat(parse("{'rope_scaling': {'type': 'linear', 'factor': 2.5}}")
                        .settings()
                        .rope()
                        .scaling())
                .isEqualTo(new RopeScaling.Linear(2.5));
        assertThat(parse("{'rope_scaling': {'type': 'dynamic', 'factor': 2}}")
                        .settings()
                        .rope()
                        .scaling())
                .isEqualTo(new RopeScaling.Dynamic(2));
        String yarn = "{'max_position_embeddings': 64, 'rope_parameters': {'rope_type': 'yarn', 'factor': %s}}";
        assertThat(parse(yarn.formatted("4, 'original_max_position_embeddings': 16"))
                        .settings()
                        .rope()
                        .scaling())
                .isEqualTo(new RopeScaling.Yarn(4, 16, 0.1 * Math.log(4) + 1, 32, 1, true));
        assertThat(parse(yarn.formatted("null, 'original_max_position_embeddings': 16"))
                        .settings()
                        .rope()
                        .scaling())
                .isEqualTo(new RopeScaling.Yarn(4, 16, 0.1 * Math.log(4) + 1, 32, 1, true));
        assertThat(parse(yarn.formatted(
                                "2, 'attention_factor': 1.5, 'beta_fast': 8, 'beta_slow': 0, 'truncate': false"))
                        .settings()
                        .rope()
                        .scaling())
                .isEqualTo(new RopeScaling.Yarn(2, 64, 1.5, 8, 1, false));
        assertThat(parse(yarn.formatted("2, 'mscale': 0.7, 'mscale_all_dim': 0.3"))
                        .settings()
                        .rope()
                        .scaling())
                .isEqualTo(
                        new RopeScaling.Yarn(2, 64, (0.07 * Math.log(2) + 1) / (0.03 * Math.log(2) + 1), 32, 1, true));
    }

    @Test
    void biasesDependOnTheType() {
        assertThat(parse("{'attention_bias': true}").hasInputBias()).isTrue();
        assertThat(parse(
                        "{'model_type': 'qwen2', 'num_key_value_heads': 2, 'attention_bias': false, 'mlp_bias': true}"))
                .isEqualTo(parse("{'model_type': 'qwen2', 'num_key_value_heads': 2}"));
        assertThat(parse("{'model_type': 'qwen2', 'num_key_value_heads': 2}").hasInputBias())
                .isTrue();
        LlamaConfig mistral = parse("{'model_type': 'mistral', 'num_key_value_heads': 2, 'attention_bias': true}");
        assertThat(mistral.hasInputBias()).isFalse();
        assertThat(mistral.attentionBias()).isFalse();
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', quoteCharacter = '"', textBlock = """
        mistral | 'sliding_window': null                                | 0 |
        mistral | 'sliding_window': 9                                   | 9 | 0 1
        mistral | 'sliding_window': 9, 'use_sliding_window': false      | 9 | 0 1
        mistral | 'sliding_window': 9, 'max_window_layers': 1           | 9 | 0 1
        mistral | 'layer_types': ['full_attention', 'sliding_attention'] | 4096 | 1
        qwen2   | 'sliding_window': 9                                   | 0 |
        qwen2   | 'sliding_window': 9, 'use_sliding_window': true       | 0 |
        qwen2   | 'sliding_window': 9, 'use_sliding_window': true, 'max_window_layers': 1 | 9 | 1
        qwen2   | 'sliding_window': null, 'use_sliding_window': true, 'max_window_layers': 0 | 0 |
        qwen2   | 'use_sliding_window': true, 'max_window_layers': -3   | 4096 | 0 1
        qwen2   | 'sliding_window': 9, 'use_sliding_window': true, 'layer_types': ['sliding_attention', 'attention'] | 9 | 0
        qwen2   | 'layer_types': ['full_attention', 'full_attention']   | 0 |
        llama   | 'sliding_window': 9, 'use_sliding_window': true       | 0 |
        llama   | 'layer_types': ['full_attention', 'full_attention']   | 0 |
        """)
    void slidingWindowIsReadAsTheTypeDoes(String type, String keys, int size, @Nullable String layers) {
        SlidingWindow window = parse("{'model_type': '" + type + "', 'num_key_value_heads': 2, " + keys + "}")
                .settings()
                .slidingWindow();
        assertThat(window.size()).isEqualTo(size);
        for (int layer = 0; layer < 2; layer++) {
            assertThat(window.isOf(layer))
                    .as("layer %s", layer)
                    .isEqualTo(layers != null && List.of(layers.split(" ")).contains(Integer.toString(layer)));
        }
    }

    /** A wrong number of layers is found later, when it is compared with the weights. */
    @Test
    void windowOfManyLayersIsReadAtOnce() {
        assertThat(parse("{'model_type': 'mistral', 'num_key_value_heads': 2, 'num_hidden_layers': 2000000000}")
                        .settings()
                        .slidingWindow())
                .isEqualTo(new SlidingWindow(4096, 0, Set.of()));
    }

    // ---- rejected values ----

    @ParameterizedTest
    @CsvSource(delimiter = '|', quoteCharacter = '"', textBlock = """
        {'model_type': 'mistral', 'sliding_window': 0, 'num_key_value_heads': 2} | sliding_window is 0; it must be at least 1
        {'model_type': 'qwen2', 'layer_types': ['full_attention']} | layer_types has 1 entries, and num_hidden_layers is 2
        {'model_type': 'qwen2', 'layer_types': ['full_attention', 'conv']} | layer_types has 'conv'; supported are
        {'model_type': 'qwen2', 'layer_types': ['full_attention', 'sliding_attention']} | layer_types has sliding_attention, and sliding_window is not set
        {'layer_types': ['full_attention', 'sliding_attention']} | layer_types is ["full_attention","sliding_attention"], which is not supported
        {'hidden_act': 'prelu'}                 | hidden_act is 'prelu'; supported are gelu,
        {'hidden_act': null}                    | hidden_act is null; give it a value, or remove the key
        {'rope_scaling': 'linear'}              | rope_scaling is "linear", not an object
        {'rope_scaling': ['linear', 2]}         | rope_scaling is ["linear",2], not an object
        {'rope_parameters': 8}                  | rope_parameters is 8, not an object
        {'rope_scaling': {'type': 'longrope'}}  | rope_type is 'longrope'; supported are default, linear, dynamic, llama3 and yarn
        {'rope_scaling': {'type': null, 'factor': 2}} | rope_scaling.type is null; give it a value
        {'rope_scaling': {'type': 'linear', 'factor': '2'}} | rope_scaling.factor is "2", not a number
        {'rope_scaling': {'type': 'linear', 'factor': 0}} | the factor of the rotary frequencies is 0.0
        {'rope_scaling': {'type': 'linear'}}    | rope_scaling.factor is missing
        {'rope_scaling': {'type': 'yarn'}}      | rope_type is 'yarn', and its factor is missing
        {'rope_scaling': {'rope_type': 'llama3'}} | rope_scaling.factor is missing
        {'rope_scaling': {'type': 'linear', 'factor': 2}, 'partial_rotary_factor': 0.5} | partial_rotary_factor is 0.5 and rope_type is 'linear'
        {'rope_theta': null}                    | rope_theta is null; give it a value, or remove the key
        {'attention_dropout': 2}                | attention_dropout is 2.0; it must be from 0 to 1
        {'pad_token_id': 96}                    | pad_token_id is 96, which is not below vocab_size, 96
        {'pad_token_id': -97}                   | pad_token_id is -97, and vocab_size is 96
        {'pad_token_id': [1]}                   | pad_token_id is [1], not a whole number
        {'is_causal': false}                    | is_causal is false, which is not supported: attention to later tokens
        {'auto_map': {'AutoModelForCausalLM': 'modeling_x.X'}} | auto_map is {"AutoModelForCausalLM":"modeling_x.X"}, which is not supported: the model has code of its own
        {'per_layer_config': {'0': {}}}         | per_layer_config is {"0":{}}, which is not supported
        {'tie_word_embeddings': null}           | tie_word_embeddings is null; give it a value
        {'attention_bias': 1}                   | attention_bias is 1, not true or false
        {'mlp_bias': 'yes'}                     | mlp_bias is "yes", not true or false
        {'vocab_size': null}                    | vocab_size is null; give it a value, or remove the key
        {'hidden_size': null}                   | hidden_size is null; give it a value, or remove the key
        {'intermediate_size': null}             | intermediate_size is null; give it a value, or remove the key
        {'num_hidden_layers': null}             | num_hidden_layers is null; give it a value, or remove the key
        {'num_attention_heads': null}           | num_attention_heads is null; give it a value, or remove the key
        {'hidden_size': '32'}                   | hidden_size is "32", not a whole number
        {'hidden_size': 32.5}                   | hidden_size is 32.5, not a whole number
        {'hidden_size': 99999999999}            | hidden_size is 99999999999; it must be at most 2147483647
        {'rope_theta': 'big'}                   | rope_theta is "big", not a number
        {'vocab_size': 0}                       | vocab_size is 0; it must be at least 1
        {'hidden_size': -32}                    | hidden_size is -32; it must be at least 1
        {'intermediate_size': 0}                | intermediate_size is 0; it must be at least 1
        {'num_hidden_layers': 0}                | num_hidden_layers is 0; it must be at least 1
        {'num_attention_heads': 0}              | num_attention_heads is 0; it must be at least 1
        {'num_key_value_heads': 0}              | num_key_value_heads is 0; it must be at least 1
        {'max_position_embeddings': 0}          | max_position_embeddings is 0; it must be at least 1
        {'head_dim': 0}                         | head_dim is 0; it must be at least 1
        {'head_dim': 7}                         | head_dim is 7; rotary positions need an even one
        {'num_attention_heads': 5}              | hidden_size is 32, which is not a multiple of num_attention_heads, 5
        {'num_key_value_heads': 3}              | num_attention_heads is 4, which is not a multiple of num_key_value_heads, 3
        {'rms_norm_eps': -1}                    | rms_norm_eps is -1.0
        {'rms_norm_eps': 1}                     | rms_norm_eps is 1.0
        {'rope_theta': 0}                       | rope_theta is 0.0
        {'initializer_range': -0.1}             | initializer_range is -0.1
        """)
    void invalidValueIsRejectedWithItsKey(String keys, String message) {
        assertThatThrownBy(() -> parse(keys))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageStartingWith("config.json: " + message);
    }

    @Test
    void missingSizeIsRejected() {
        assertThatThrownBy(() -> LlamaConfig.read(ConfigJson.parse("{\"model_type\": \"llama\"}")))
                .hasMessage("config.json: hidden_size is missing");
    }

    /** Mistral and Qwen2 round down; Llama does not. */
    @Test
    void widthOfHeadsIsRoundedDownForMistralAndQwen2() {
        for (String type : List.of("mistral", "qwen2")) {
            assertThat(parse("{'model_type': '" + type + "', 'hidden_size': 18, 'num_key_value_heads': 2}")
                            .settings()
                            .headDim())
                    .isEqualTo(4);
        }
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
                "{'model_type': 'qwen2', 'rope_theta': 1e6, 'num_key_value_heads': 2}",
                "{'model_type': 'qwen2', 'num_key_value_heads': 2, 'sliding_window': 9, 'use_sliding_window': true,"
                        + " 'max_window_layers': 1}",
                "{'model_type': 'mistral', 'num_key_value_heads': 2, 'sliding_window': 9}",
                "{'model_type': 'mistral', 'num_key_value_heads': 2, 'sliding_window': null}",
                "{'model_type': 'mistral', 'num_key_value_heads': 2, 'layer_types': ['full_attention',"
                        + " 'sliding_attention']}",
                "{'attention_dropout': 0.1, 'pad_token_id': 5, 'hidden_act': 'gelu_fast'}",
                "{'rope_scaling': {'type': 'linear', 'factor': 2.5}}",
                "{'rope_scaling': {'type': 'dynamic', 'factor': 2.5}}",
                "{'rope_scaling': {'type': 'yarn', 'factor': 2.5, 'beta_fast': 8, 'mscale': 2, 'mscale_all_dim': 0.5,"
                        + " 'truncate': false}}",
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
        assertThat(config.settings().headDim()).isEqualTo(8);
        assertThat(config.settings().tieWordEmbeddings()).isTrue();
        assertThat(LlamaConfig.read(config.toJson())).isEqualTo(config);
    }

    @ParameterizedTest
    @CsvSource({"llama, LlamaForCausalLM", "mistral, MistralForCausalLM", "qwen2, Qwen2ForCausalLM"})
    void toJsonHasModelTypeAndArchitecture(String type, String architecture) {
        ConfigJson json = parse("{'model_type': '" + type + "', 'num_key_value_heads': 2}")
                .toJson();
        assertThat(json.text("model_type", "")).isEqualTo(type);
        assertThat(json.texts("architectures")).containsExactly(architecture);
    }
}
