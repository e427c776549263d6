package io.gradus.nn.model;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.gradus.core.safetensors.NamedTensor;
import io.gradus.core.safetensors.SafetensorsWriter;
import io.gradus.nn.Given;
import io.gradus.nn.model.decoder.DecoderConfig;
import io.gradus.nn.model.decoder.SlidingWindow;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** What the decoder families after Llama read and reject beyond their tables. */
class DecoderConfigsTest {

    /** The configuration of a family's fixture with other keys; single quotes stand for double ones. */
    private static ConfigJson json(String family, String keys) throws IOException {
        JsonNode changes = new ObjectMapper().readTree("{" + keys.replace('\'', '"') + "}");
        return ConfigJson.parse(ConfigFixture.of(family).config(changes));
    }

    private static DecoderConfig read(String family, String keys) throws IOException {
        ConfigJson json = json(family, keys);
        return (DecoderConfig) ModelFamily.of(json).read(json);
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', quoteCharacter = '"', textBlock = """
        qwen3       | 'head_dim': null                 | head_dim is null; give it a value
        qwen3       | 'layer_types': ['full_attention', 'sliding_attention'] | layer_types has sliding_attention, and sliding_window is not set
        qwen3       | 'rope_scaling': {'type': 'longrope'} | rope_type is 'longrope'; supported are
        olmo2       | 'pad_token_id': "(removed)"      | pad_token_id is missing, which stands for 1, and vocab_size is 1;
        granite     | 'logits_scaling': 0              | logits_scaling is 0
        granite     | 'residual_multiplier': null      | residual_multiplier is null; give it a value
        smollm3     | 'no_rope_layers': [1]            | no_rope_layers has 1 entries, and num_hidden_layers is 2
        smollm3     | 'no_rope_layers': [1, 0.5]       | no_rope_layers is [1,0.5], not a list of whole numbers
        smollm3     | 'no_rope_layers': null, 'no_rope_layer_interval': 0 | no_rope_layer_interval is 0
        smollm3     | 'num_hidden_layers': 2000000000  | num_hidden_layers is 2000000000; it must be at most 10000
        smollm3     | 'no_rope_layers': null, 'num_hidden_layers': 2000000000  | num_hidden_layers is 2000000000; it must be at most 10000
        phi3        | 'rope_scaling': {'type': 'longrope', 'short_factor': [1.0], 'long_factor': [2.0]} | rope_type is longrope, and short_factor has 1 numbers; it must have one for each of 4 pairs
        phi3        | 'rope_scaling': {'type': 'linear', 'factor': 2.0} | rope_type is 'linear'; of Phi-3, default and longrope are supported
        phi3        | 'partial_rotary_factor': 0       | the rotary factor is 0.0; it must be above 0 and at most 1
        phi3        | 'partial_rotary_factor': 0.1     | head_dim is 8 and the rotary factor 0.1, which leaves no pairs of elements
        phi3        | 'resid_pdrop': -1                | resid_pdrop is -1.0; it must be from 0 to 1
        gemma2      | 'attn_logit_softcapping': 0      | attn_logit_softcapping is 0.0; it must be above 0, or null
        gemma2      | 'final_logit_softcapping': -3    | final_logit_softcapping is -3.0; it must be above 0, or null
        gemma2      | 'num_attention_heads': 6         | hidden_size is 16, which is not a multiple of num_attention_heads, 6
        gemma2      | 'sliding_window': null           | sliding_window is null; give it a value
        gemma2      | 'query_pre_attn_scalar': 0       | query_pre_attn_scalar is 0; it must be at least 1
        gemma2      | 'num_hidden_layers': 2000000000  | num_hidden_layers is 2000000000; it must be at most 10000
        gemma3_text | 'layer_types': null, 'sliding_window_pattern': 0 | sliding_window_pattern is 0
        gemma3_text | 'rope_scaling': {'type': 'linear', 'factor': 2.0}, 'rope_parameters': {'full_attention': {'rope_theta': 3.0}} | rope_scaling and rope_parameters.full_attention are both set
        gemma3_text | 'rope_scaling': {'type': 'linear', 'factor': 2.0} | rope_scaling.type is linear, which transformers does not read
        gemma3_text | 'rope_scaling': {'rope_type': 'yarn', 'factor': 2.0, 'truncate': false} | truncate is false, which transformers does not read
        gemma3_text | 'rope_parameters': {'sliding_attention': {'rope_type': 'longrope'}} | rope_type is 'longrope'
        gpt_neox    | 'num_attention_heads': 5         | hidden_size is 32, which is not a multiple of num_attention_heads, 5
        gpt_neox    | 'rotary_pct': 1.5                | the rotary factor is 1.5; it must be above 0 and at most 1
        gpt_neox    | 'hidden_dropout': 3              | hidden_dropout is 3.0; it must be from 0 to 1
        """)
    void invalidValueIsRejectedWithItsKey(String family, String keys, String message) {
        assertThatThrownBy(() -> read(
                        family,
                        keys.replace("\"", "'") + (message.contains("vocab_size is 1;") ? ", 'vocab_size': 1" : "")))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageStartingWith("config.json: " + message);
    }

    @Test
    void layersOfGemmaAlternateByDefault() throws IOException {
        SlidingWindow gemma2 =
                read("gemma2", "'num_hidden_layers': 5").settings().slidingWindow();
        assertThat(gemma2.layerTypes(5).stream().map(type -> type.charAt(0))).containsExactly('s', 'f', 's', 'f', 's');
        SlidingWindow gemma3 = read("gemma3_text", "'num_hidden_layers': 7, 'layer_types': null")
                .settings()
                .slidingWindow();
        assertThat(gemma3.layerTypes(7).stream().map(type -> type.charAt(0)))
                .containsExactly('s', 's', 's', 's', 's', 'f', 's');
    }

    /** Folders of base models, and those of GPT-NeoX whose output layer has another name. */
    @ParameterizedTest
    @CsvSource({"qwen3, model., ''", "gemma2, model., ''", "gpt_neox, gpt_neox., ''", "gpt_neox, embed_out, lm_head"})
    void namesOfOtherCheckpointsAreFound(String family, String from, String to, @TempDir Path folder)
            throws IOException {
        boolean tied = to.isEmpty();
        ConfigJson json = json(family, "'tie_word_embeddings': " + tied);
        LanguageModel model = Given.randomized(ModelFamily.of(json).read(json).build(Given.weights()));
        List<NamedTensor> tensors = new ArrayList<>();
        model.namedParameters()
                .forEach((name, parameter) -> tensors.add(NamedTensor.of(name.replace(from, to), parameter.value())));
        Files.writeString(folder.resolve("config.json"), json.toString());
        SafetensorsWriter.write(folder.resolve("model.safetensors"), tensors, Map.of("format", "pt"));
        LanguageModel loaded = ModelFolder.open(folder).load(model.device());
        model.namedParameters()
                .forEach((name, parameter) -> assertThat(
                                loaded.namedParameters().get(name).value().toFloats())
                        .as(name)
                        .isEqualTo(parameter.value().toFloats()));
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', textBlock = """
        phi3     | hidden_size             | 24 | hidden_size is 24, but model.embed_tokens.weight in model.safetensors is
        phi3     | num_key_value_heads     | 1  | (num_attention_heads + 2 × num_key_value_heads) × head_dim is 48, but model.layers.0.self_attn.qkv_proj.weight
        gpt_neox | intermediate_size       | 28 | intermediate_size is 28, but gpt_neox.layers.0.mlp.dense_h_to_4h.weight
        gpt_neox | num_hidden_layers       | 3  | num_hidden_layers is 3, but model.safetensors has 2 layers
        """)
    void wrongSizeIsReportedByItsKey(String family, String key, int value, String message, @TempDir Path folder)
            throws IOException {
        ConfigFixture fixture = ConfigFixture.of(family);
        fixture.write(folder, new ObjectMapper().createObjectNode(), 0);
        Files.writeString(
                folder.resolve("config.json"),
                json(family, "'" + key + "': " + value).toString());
        assertThatThrownBy(() -> ModelFolder.open(folder).config())
                .isInstanceOf(IOException.class)
                .hasMessageContaining(message);
    }
}
