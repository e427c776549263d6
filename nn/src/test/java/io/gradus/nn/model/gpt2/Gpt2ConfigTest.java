package io.gradus.nn.model.gpt2;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.gradus.nn.Activation;
import io.gradus.nn.model.ConfigJson;
import io.gradus.nn.model.ModelFolder;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

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
                        96,
                        64,
                        32,
                        2,
                        4,
                        128,
                        Activation.GELU_TANH,
                        0.1,
                        0.1,
                        0.1,
                        1e-5,
                        true,
                        false,
                        true,
                        0.02,
                        null,
                        null));
        assertThat(parse("{'n_inner': null, 'eos_token_id': null}")).isEqualTo(parse("{}"));
    }

    @Test
    void everyKeyIsRead() {
        assertThat(parse("""
            {'model_type': 'gpt2', 'n_ctx': 64, 'n_inner': 50, 'activation_function': 'relu', 'resid_pdrop': 0,
             'embd_pdrop': 0.2, 'attn_pdrop': 0.3, 'layer_norm_epsilon': 1e-3, 'scale_attn_weights': false,
             'tie_word_embeddings': false, 'initializer_range': 0.3, 'bos_token_id': 5, 'eos_token_id': [6, 7],
             'scale_attn_by_inverse_layer_idx': true, 'reorder_and_upcast_attn': true, 'add_cross_attention': false}\
            """))
                .isEqualTo(new Gpt2Config(
                        96, 64, 32, 2, 4, 50, Activation.RELU, 0, 0.2, 0.3, 1e-3, false, true, false, 0.3, 5, 6));
    }

    @Test
    void namesOfOtherFamiliesComeFirst() {
        assertThat(parse("{'hidden_size': 16, 'num_hidden_layers': 3, 'num_attention_heads': 2,"
                        + " 'max_position_embeddings': 8}"))
                .isEqualTo(parse("{'n_embd': 16, 'n_layer': 3, 'n_head': 2, 'n_positions': 8}"));
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', quoteCharacter = '`', textBlock = """
        {'add_cross_attention': true}               | add_cross_attention is true, which is not supported: attention to another text
        {'is_causal': false}                        | is_causal is false, which is not supported: attention to later tokens
        {'activation_function': 'prelu'}            | activation_function is 'prelu'; supported are gelu, gelu_10, gelu_accurate
        {'n_embd': null}                            | n_embd is null; give it a value, or remove the key
        {'hidden_size': null}                       | hidden_size is null; give it a value, or remove the key
        {'resid_pdrop': null}                       | resid_pdrop is null; give it a value, or remove the key
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
        assertThat(fresh.attnPdrop()).isZero();
        assertThat(parse("{}").attnPdrop()).isEqualTo(0.1);
    }

    @Test
    void toJsonHasModelTypeArchitectureAndNullTokens() {
        ConfigJson json = Gpt2Config.of(256, 32, 2, 4, 128).toJson();
        assertThat(json.text("model_type", "")).isEqualTo("gpt2");
        assertThat(json.texts("architectures")).containsExactly("GPT2LMHeadModel");
        assertThat(json.toString()).contains("\"eos_token_id\" : null");
    }
}
