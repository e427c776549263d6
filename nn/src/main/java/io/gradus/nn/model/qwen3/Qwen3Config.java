package io.gradus.nn.model.qwen3;

import static io.gradus.nn.model.ConfigKey.harmless;
import static io.gradus.nn.model.ConfigKey.honored;
import static io.gradus.nn.model.ConfigKey.optional;

import io.gradus.nn.WeightSource;
import io.gradus.nn.model.Activations;
import io.gradus.nn.model.ConfigJson;
import io.gradus.nn.model.ConfigKey;
import io.gradus.nn.model.LanguageModel;
import io.gradus.nn.model.decoder.DecoderConfig;
import io.gradus.nn.model.decoder.DecoderKeys;
import io.gradus.nn.model.decoder.DecoderSettings;
import io.gradus.nn.model.decoder.Rope;
import io.gradus.nn.model.decoder.SlidingWindow;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * The configuration of a Qwen3.
 *
 * @param settings what all decoders have
 * @param attentionBias whether the attention projections have biases
 */
public record Qwen3Config(DecoderSettings settings, boolean attentionBias) implements DecoderConfig {
    /** The table of the keys of {@code config.json}. */
    static final List<ConfigKey> KEYS = DecoderKeys.likeLlama(
            honored("attention_dropout", DecoderKeys.DROPOUT),
            optional("num_key_value_heads", "key-value heads; 32 by default, num_attention_heads if null"),
            honored("head_dim", "elements per head; 128 by default"),
            honored("attention_bias", "whether all attention projections have biases"),
            honored("use_sliding_window", "whether layers have a window"),
            optional("sliding_window", "tokens that a token attends to, itself included; 4,096 by default"),
            honored("max_window_layers", "first layer with a window, unless there are layer_types; 28 by default"),
            optional("layer_types", "sliding_attention or full_attention for each layer"),
            harmless("mlp_bias", "the feed-forward layers of Qwen3 have no biases"));

    /**
     * Reads the {@code config.json} of a Qwen3.
     *
     * @throws IllegalArgumentException if a key is missing, malformed or not supported
     */
    public static Qwen3Config read(ConfigJson json) {
        ConfigKey.check(KEYS, json);
        int heads = json.size("num_attention_heads");
        int headDim = json.size("head_dim", 128);
        int context = json.size("max_position_embeddings", 32_768);
        DecoderSettings settings = new DecoderSettings(
                json.size("vocab_size"),
                json.size("hidden_size"),
                json.size("intermediate_size"),
                json.size("num_hidden_layers"),
                heads,
                json.size("num_key_value_heads", json.mentions("num_key_value_heads") ? heads : 32),
                headDim,
                Activations.read(json, "hidden_act", "silu"),
                context,
                json.number("rms_norm_eps", 1e-6),
                Rope.read(json, headDim, context),
                json.flag("tie_word_embeddings", false),
                json.number("attention_dropout", 0),
                slidingWindow(json),
                DecoderSettings.padding(json, null),
                json.number("initializer_range", 0.02));
        return new Qwen3Config(settings, json.flag("attention_bias", false));
    }

    private static SlidingWindow slidingWindow(ConfigJson json) {
        int layers = json.size("num_hidden_layers");
        boolean windows = json.flag("use_sliding_window", false);
        @Nullable Integer size = SlidingWindow.size(json, 4096);
        @Nullable Integer window = windows ? size : null;
        int first = json.integer("max_window_layers", 28);
        if (json.has("layer_types")) {
            return SlidingWindow.of(window, json.texts("layer_types"), layers);
        }
        return window == null ? SlidingWindow.NONE : SlidingWindow.from(window, first, layers);
    }

    @Override
    public LanguageModel build(WeightSource weights) {
        return new Qwen3(this, weights);
    }

    @Override
    public ConfigJson toJson() {
        SlidingWindow window = settings.slidingWindow();
        boolean windows = window.size() > 0;
        ConfigJson json = settings.write(new ConfigJson()
                        .set("architectures", List.of("Qwen3ForCausalLM"))
                        .set("model_type", "qwen3"))
                .set("hidden_act", Activations.name(settings.hiddenAct()))
                .set("rms_norm_eps", settings.normEps())
                .set("attention_bias", attentionBias)
                .set("use_sliding_window", windows)
                .set("sliding_window", windows ? window.size() : null);
        settings.rope().write(json);
        return windows ? json.set("layer_types", window.layerTypes(settings.numHiddenLayers())) : json;
    }
}
