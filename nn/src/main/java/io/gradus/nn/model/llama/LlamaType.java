package io.gradus.nn.model.llama;

import static io.gradus.nn.model.ConfigKey.harmless;
import static io.gradus.nn.model.ConfigKey.honored;
import static io.gradus.nn.model.ConfigKey.optional;
import static io.gradus.nn.model.ConfigKey.rejected;

import io.gradus.nn.model.ConfigKey;
import io.gradus.nn.model.decoder.DecoderKeys;
import java.util.List;
import java.util.Locale;

/** The networks that a {@link LlamaConfig} describes: Llama, and two that differ from it in a few settings. */
public enum LlamaType {
    /** Llama (Touvron et al. 2023): full attention; biases if the configuration says so. */
    LLAMA("LlamaForCausalLM", 2048),
    /** Mistral (Jiang et al. 2023): attention to a window of the last tokens. No biases. */
    MISTRAL("MistralForCausalLM", 131_072),
    /** Qwen2 (Yang et al. 2024): biases of queries, keys and values; some layers may have a window. */
    QWEN2("Qwen2ForCausalLM", 32_768);

    private static final List<ConfigKey> LLAMA_KEYS = DecoderKeys.likeLlama(
            optional("attention_dropout", DecoderKeys.DROPOUT),
            optional("num_key_value_heads", "key-value heads; num_attention_heads by default"),
            optional("head_dim", "elements per head; hidden_size / num_attention_heads by default"),
            honored("attention_bias", "whether all attention projections have biases"),
            honored("mlp_bias", "whether the feed-forward layers have biases"),
            rejected("layer_types", "full_attention", "model_type llama has only full_attention"),
            harmless("max_window_layers", "of Qwen2"),
            harmless("sliding_window", "of Mistral and Qwen2"),
            harmless("use_sliding_window", "of Qwen2"));

    private static final List<ConfigKey> MISTRAL_KEYS = DecoderKeys.likeLlama(
            honored("attention_dropout", DecoderKeys.DROPOUT),
            honored("num_key_value_heads", "key-value heads; 8 by default"),
            optional("head_dim", "elements per head; hidden_size / num_attention_heads by default"),
            optional("sliding_window", "tokens that a token attends to, itself included; 4,096 by default"),
            optional("layer_types", "sliding_attention or full_attention for each layer"),
            harmless("attention_bias", "Mistral has no biases"),
            harmless("max_window_layers", "of Qwen2"),
            harmless("mlp_bias", "Mistral has no biases"),
            harmless("use_sliding_window", "of Qwen2"));

    private static final List<ConfigKey> QWEN2_KEYS = DecoderKeys.likeLlama(
            honored("attention_dropout", DecoderKeys.DROPOUT),
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
