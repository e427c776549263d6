package io.gradus.nn.model.gpt2;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.gradus.autograd.Variable;
import io.gradus.core.Tensor;
import io.gradus.nn.model.ConfigJson;
import io.gradus.nn.model.ModelFolder;
import io.gradus.nn.model.gpt2.Gpt2Config.Activation;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Locale;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;

class Gpt2ConfigTest {
    private static final ObjectMapper JSON = new ObjectMapper();

    /** The required keys. */
    private static final String LEAST =
            "{\"model_type\": \"gpt2\", \"vocab_size\": 96, \"n_positions\": 64, \"n_embd\": 32, \"n_layer\": 2,"
                    + " \"n_head\": 4}";

    /** The required keys with some added or replaced; single quotes stand for double ones. */
    private static Gpt2Config parse(String keys) {
        try {
            ObjectNode json = (ObjectNode) JSON.readTree(LEAST);
            json.setAll((ObjectNode) JSON.readTree(keys.replace('\'', '"')));
            return Gpt2Config.read(ConfigJson.parse(json.toString()));
        } catch (JsonProcessingException e) {
            throw new AssertionError(e);
        }
    }

    @Test
    void missingKeysHaveTransformersDefaults() {
        assertThat(parse("{}"))
                .isEqualTo(new Gpt2Config(
                        96, 64, 32, 2, 4, 128, Activation.GELU_NEW, 0.1, 0.1, 0.1, 1e-5, true, true, 0.02, null, null));
        assertThat(parse("{'n_inner': null, 'eos_token_id': null}")).isEqualTo(parse("{}"));
    }

    @Test
    void everyKeyIsRead() {
        assertThat(parse("""
            {'model_type': 'gpt2', 'n_ctx': 64, 'n_inner': 50, 'activation_function': 'relu', 'resid_pdrop': 0,
             'embd_pdrop': 0.2, 'attn_pdrop': 0.3, 'layer_norm_epsilon': 1e-3, 'scale_attn_weights': false,
             'tie_word_embeddings': false, 'initializer_range': 0.3, 'bos_token_id': 5, 'eos_token_id': [6, 7],
             'scale_attn_by_inverse_layer_idx': false, 'reorder_and_upcast_attn': false}\
            """))
                .isEqualTo(new Gpt2Config(
                        96, 64, 32, 2, 4, 50, Activation.RELU, 0, 0.2, 0.3, 1e-3, false, false, 0.3, 5, 6));
    }

    @ParameterizedTest
    @EnumSource
    void activationFunctionIsReadByNameAndComputed(Activation activation) {
        String name = activation.name().toLowerCase(Locale.ROOT);
        Gpt2Config config = parse("{'activation_function': '" + name + "'}");
        assertThat(config.activationFunction()).isEqualTo(activation);
        double x = -0.8;
        double expected = switch (activation) {
            case GELU_NEW, GELU_PYTORCH_TANH ->
                0.5 * x * (1 + Math.tanh(Math.sqrt(2 / Math.PI) * (x + 0.044715 * x * x * x)));
            case GELU -> x * 0.2118553986; // Φ(−0.8)
            case RELU -> 0;
            case SILU -> x / (1 + Math.exp(-x));
        };
        Variable y = activation.apply(Variable.constant(Tensor.of(new float[] {(float) x}, 1)));
        assertThat(y.item()).isCloseTo(expected, within(1e-6));
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', quoteCharacter = '`', textBlock = """
        {'scale_attn_by_inverse_layer_idx': true}   | scale_attn_by_inverse_layer_idx is set, which is not supported
        {'reorder_and_upcast_attn': true}           | reorder_and_upcast_attn is set, which is not supported
        {'add_cross_attention': true}               | add_cross_attention is set, which is not supported
        {'activation_function': 'mish'}             | activation_function is 'mish'; supported are gelu_new, gelu_pytorch_tanh, gelu, relu, silu
        {'n_embd': null}                            | n_embd is missing
        {'n_positions': 'many'}                     | n_positions is "many", not a whole number
        {'n_layer': 0}                              | n_layer is 0; it must be at least 1
        {'vocab_size': -1}                          | vocab_size is -1; it must be at least 1
        {'n_positions': 0}                          | n_positions is 0; it must be at least 1
        {'n_embd': 0}                               | n_embd is 0; it must be at least 1
        {'n_embd': 2000000000}                      | n_embd is 2000000000
        {'n_head': 0}                               | n_head is 0; it must be at least 1
        {'n_inner': 0}                              | n_inner is 0; it must be at least 1
        {'n_head': 5}                               | n_embd is 32, which is not a multiple of n_head, 5
        {'attn_pdrop': 1.5}                         | attn_pdrop is 1.5; it must be from 0 to 1
        {'layer_norm_epsilon': 1}                   | layer_norm_epsilon is 1.0
        {'initializer_range': -0.1}                 | initializer_range is -0.1
        {'eos_token_id': 'end'}                     | eos_token_id is "end", not a token's id
        """)
    void invalidValueIsRejectedWithItsKey(String keys, String message) {
        assertThatThrownBy(() -> parse(keys))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageStartingWith("config.json: " + message);
    }

    @Test
    void errorNamesTheFile(@TempDir Path folder) throws IOException {
        Path file = Files.writeString(folder.resolve("config.json"), LEAST.replace("96", "0"));
        assertThatThrownBy(() -> new ModelFolder(folder).config())
                .isInstanceOf(IOException.class)
                .hasMessage(file + ": vocab_size is 0; it must be at least 1");
        Files.writeString(file, "[]");
        assertThatThrownBy(() -> new ModelFolder(folder).config()).hasMessage(file + " is not an object");
    }

    @Test
    void configSurvivesJson() {
        for (String keys : new String[] {
            "{}",
            "{'n_inner': 50, 'activation_function': 'gelu', 'attn_pdrop': 0, 'scale_attn_weights': false,"
                    + " 'tie_word_embeddings': false, 'bos_token_id': 5, 'eos_token_id': 6}"
        }) {
            Gpt2Config config = parse(keys);
            assertThat(Gpt2Config.read(config.toJson())).isEqualTo(config);
        }
        Gpt2Config fresh = Gpt2Config.of(256, 32, 2, 4, 128);
        assertThat(Gpt2Config.read(fresh.toJson())).isEqualTo(fresh);
        assertThat(fresh.hasDropout()).isFalse();
        assertThat(parse("{}").hasDropout()).isTrue();
    }

    @Test
    void toJsonHasModelTypeArchitectureAndNullTokens() {
        ConfigJson json = Gpt2Config.of(256, 32, 2, 4, 128).toJson();
        assertThat(json.text("model_type", "")).isEqualTo("gpt2");
        assertThat(json.texts("architectures")).containsExactly("GPT2LMHeadModel");
        assertThat(json.toString()).contains("\"eos_token_id\" : null");
    }
}
