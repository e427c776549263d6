package io.gradus.nn.model.llama;

import static io.gradus.nn.model.ConfigKey.harmless;
import static io.gradus.nn.model.ConfigKey.honored;
import static io.gradus.nn.model.ConfigKey.optional;
import static io.gradus.nn.model.ConfigKey.rejected;

import io.gradus.nn.model.ConfigKey;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.stream.Stream;

/** The networks that a {@link LlamaConfig} describes: Llama, and two that differ from it in a few settings. */
public enum LlamaType {
    /** Llama (Touvron et al. 2023): full attention; biases if the configuration says so. */
    LLAMA("LlamaForCausalLM", 2048),
    /** Mistral (Jiang et al. 2023): attention to a window of the last tokens. No biases. */
    MISTRAL("MistralForCausalLM", 131_072),
    /** Qwen2 (Yang et al. 2024): biases of queries, keys and values; some layers may have a window. */
    QWEN2("Qwen2ForCausalLM", 32_768);

    private static final List<ConfigKey> SHARED = List.of(
            honored("vocab_size", "tokens in the vocabulary"),
            honored("hidden_size", "elements of a hidden state"),
            honored("intermediate_size", "elements between the feed-forward layers"),
            honored("num_hidden_layers", "layers"),
            honored("num_attention_heads", "query heads"),
            honored("hidden_act", "activation of the feed-forward layers"),
            honored("max_position_embeddings", "context length, in tokens"),
            honored("rms_norm_eps", "added to the mean square in each norm"),
            optional("pad_token_id", "row of the embedding table that is not trained through lookups"),
            honored("tie_word_embeddings", "whether the output layer shares the embedding table"),
            harmless("initializer_range", "of new weights"));

    private static final List<ConfigKey> ROTARY = List.of(
            honored("rope_theta", "base of the rotary frequencies, unless the object below has one"),
            optional("rope_parameters", "rotary positions, in the spelling of transformers 5"),
            optional("rope_scaling", "the same in the spelling of transformers 4; comes first if both are there"),
            honored("rope_parameters.rope_type", "default, linear, dynamic, llama3 or yarn; others are rejected"),
            honored("rope_parameters.type", "the older name of rope_type"),
            honored("rope_parameters.rope_theta", "base of the rotary frequencies"),
            optional("rope_parameters.factor", "linear, dynamic, llama3, yarn: the ratio of the context lengths"),
            honored("rope_parameters.low_freq_factor", "llama3: rotations below which a frequency is low"),
            honored("rope_parameters.high_freq_factor", "llama3: rotations above which a frequency is high"),
            honored("rope_parameters.original_max_position_embeddings", "llama3, yarn: context length of pre-training"),
            honored("original_max_position_embeddings", "the same outside of the object; comes first"),
            optional("rope_parameters.attention_factor", "yarn: factor of cosines and sines"),
            optional("rope_parameters.beta_fast", "yarn: rotations above which a frequency is high"),
            optional("rope_parameters.beta_slow", "yarn: rotations below which a frequency is low"),
            optional("rope_parameters.mscale", "yarn: with mscale_all_dim, sets attention_factor"),
            optional("rope_parameters.mscale_all_dim", "yarn: with mscale, sets attention_factor"),
            honored("rope_parameters.truncate", "yarn: whether the bounds of the ramp are whole numbers"),
            harmless("partial_rotary_factor", "not used by the default rope_type; others reject it"),
            harmless("rope_parameters.partial_rotary_factor", "not used by the default rope_type; others reject it"));

    private static final String DROPOUT = "share of the attention probabilities that is dropped in training";

    private static final List<ConfigKey> LLAMA_KEYS = table(
            optional("attention_dropout", DROPOUT),
            optional("num_key_value_heads", "key-value heads; num_attention_heads by default"),
            optional("head_dim", "elements per head; hidden_size / num_attention_heads by default"),
            honored("attention_bias", "whether all attention projections have biases"),
            honored("mlp_bias", "whether the feed-forward layers have biases"),
            rejected("layer_types", "full_attention", "model_type llama has only full_attention"),
            harmless("max_window_layers", "of Qwen2"),
            harmless("sliding_window", "of Mistral and Qwen2"),
            harmless("use_sliding_window", "of Qwen2"));

    private static final List<ConfigKey> MISTRAL_KEYS = table(
            honored("attention_dropout", DROPOUT),
            honored("num_key_value_heads", "key-value heads; 8 by default"),
            optional("head_dim", "elements per head; hidden_size / num_attention_heads by default"),
            optional("sliding_window", "tokens that a token attends to, itself included; 4,096 by default"),
            optional("layer_types", "sliding_attention or full_attention for each layer"),
            harmless("attention_bias", "Mistral has no biases"),
            harmless("max_window_layers", "of Qwen2"),
            harmless("mlp_bias", "Mistral has no biases"),
            harmless("use_sliding_window", "of Qwen2"));

    private static final List<ConfigKey> QWEN2_KEYS = table(
            honored("attention_dropout", DROPOUT),
            optional("num_key_value_heads", "key-value heads; 32 by default, num_attention_heads if null"),
            optional("head_dim", "elements per head; hidden_size / num_attention_heads by default"),
            honored("use_sliding_window", "whether layers have a window"),
            optional("sliding_window", "tokens that a token attends to, itself included; 4,096 by default"),
            honored("max_window_layers", "first layer with a window, unless there are layer_types; 28 by default"),
            optional("layer_types", "sliding_attention or full_attention for each layer"),
            harmless("attention_bias", "Qwen2 always has biases of queries, keys and values"),
            harmless("mlp_bias", "the feed-forward layers of Qwen2 have no biases"),
            harmless("qkv_bias", "Qwen2 always has biases of queries, keys and values"),
            harmless("use_mrope", "of Qwen2-VL"));

    private static List<ConfigKey> table(ConfigKey... own) {
        return Stream.of(SHARED, Arrays.asList(own), ROTARY, ConfigKey.TRANSFORMERS)
                .flatMap(List::stream)
                .toList();
    }

    private final String architecture;
    private final int context;

    LlamaType(String architecture, int context) {
        this.architecture = architecture;
        this.context = context;
    }

    /** The value of {@code model_type}. */
    public String modelType() {
        return name().toLowerCase(Locale.ROOT);
    }

    static LlamaType of(String modelType) {
        return valueOf(modelType.toUpperCase(Locale.ROOT));
    }

    /** The class in transformers. */
    String architecture() {
        return architecture;
    }

    /** {@code max_position_embeddings}, where it is missing. */
    int context() {
        return context;
    }

    /** The table of the keys of {@code config.json}. */
    public List<ConfigKey> keys() {
        return switch (this) {
            case LLAMA -> LLAMA_KEYS;
            case MISTRAL -> MISTRAL_KEYS;
            case QWEN2 -> QWEN2_KEYS;
        };
    }
}
