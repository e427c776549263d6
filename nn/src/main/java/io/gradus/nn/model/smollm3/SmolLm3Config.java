package io.gradus.nn.model.smollm3;

import static io.gradus.nn.model.ConfigJson.require;
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
import java.util.Set;
import java.util.function.IntPredicate;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import org.jspecify.annotations.Nullable;

/**
 * The configuration of a SmolLM3.
 *
 * @param settings what all decoders have
 * @param attentionBias whether the attention projections have biases
 * @param mlpBias whether the feed-forward layers have biases
 * @param noRopeLayers the layers that do not know the positions
 */
public record SmolLm3Config(DecoderSettings settings, boolean attentionBias, boolean mlpBias, Set<Integer> noRopeLayers)
        implements DecoderConfig {
    /** The table of the keys of {@code config.json}. */
    static final List<ConfigKey> KEYS = DecoderKeys.likeLlama(
            honored("attention_dropout", DecoderKeys.DROPOUT),
            optional("num_key_value_heads", "key-value heads; 4 by default, num_attention_heads if null"),
            honored("head_dim", "elements per head; hidden_size / num_attention_heads by default"),
            honored("attention_bias", "whether all attention projections have biases"),
            honored("mlp_bias", "whether the feed-forward layers have biases"),
            optional("no_rope_layers", "for each layer 1 if it knows positions, 0 if not"),
            honored(
                    "no_rope_layer_interval",
                    "without no_rope_layers, each so many layers one knows none; 4 by default"),
            honored(
                    "use_sliding_window",
                    "without layer_types, whether layers that do not know positions have a window"),
            optional("sliding_window", "tokens that a token attends to, itself included; none by default"),
            optional("layer_types", "sliding_attention or full_attention for each layer"),
            harmless("max_window_layers", "of Qwen2"));

    public SmolLm3Config {
        noRopeLayers = Set.copyOf(noRopeLayers);
    }

    /**
     * Reads the {@code config.json} of a SmolLM3.
     *
     * @throws IllegalArgumentException if a key is missing, malformed or not supported
     */
    public static SmolLm3Config read(ConfigJson json) {
        ConfigKey.check(KEYS, json);
        int heads = json.size("num_attention_heads");
        int headDim = DecoderSettings.headDim(json);
        int context = json.size("max_position_embeddings", 32_768);
        Set<Integer> noRope = noRopeLayers(json);
        DecoderSettings settings = new DecoderSettings(
                json.size("vocab_size"),
                json.size("hidden_size"),
                json.size("intermediate_size"),
                json.size("num_hidden_layers"),
                heads,
                json.size("num_key_value_heads", json.mentions("num_key_value_heads") ? heads : 4),
                headDim,
                Activations.read(json, "hidden_act", "silu"),
                context,
                json.number("rms_norm_eps", 1e-6),
                Rope.read(json, headDim, context, 2_000_000),
                json.flag("tie_word_embeddings", true),
                json.number("attention_dropout", 0),
                slidingWindow(json, noRope),
                DecoderSettings.padding(json, 128_004),
                json.number("initializer_range", 0.02));
        return new SmolLm3Config(settings, json.flag("attention_bias", false), json.flag("mlp_bias", false), noRope);
    }

    private static Set<Integer> noRopeLayers(ConfigJson json) {
        int layers = json.size("num_hidden_layers");
        int interval = json.integer("no_rope_layer_interval", 4);
        SlidingWindow.requireFew(layers);
        if (!json.has("no_rope_layers")) {
            require(interval != 0, "no_rope_layer_interval is 0");
            return where(layers, layer -> (layer + 1) % interval == 0);
        }
        List<Integer> known = json.integers("no_rope_layers");
        require(
                known.size() >= layers,
                "no_rope_layers has " + known.size() + " entries, and num_hidden_layers is " + layers);
        return where(layers, layer -> known.get(layer) == 0);
    }

    private static Set<Integer> where(int layers, IntPredicate condition) {
        return IntStream.range(0, layers).filter(condition).boxed().collect(Collectors.toSet());
    }

    private static SlidingWindow slidingWindow(ConfigJson json, Set<Integer> noRope) {
        int layers = json.size("num_hidden_layers");
        boolean windows = json.flag("use_sliding_window", false);
        @Nullable Integer size = SlidingWindow.size(json, null);
        if (json.has("layer_types")) {
            return SlidingWindow.of(size, json.texts("layer_types"), layers);
        }
        return windows && size != null ? SlidingWindow.where(noRope::contains, size, layers) : SlidingWindow.NONE;
    }

    @Override
    public LanguageModel build(WeightSource weights) {
        return new SmolLm3(this, weights);
    }

    @Override
    public ConfigJson toJson() {
        SlidingWindow window = settings.slidingWindow();
        boolean windows = window.size() > 0;
        int layers = settings.numHiddenLayers();
        ConfigJson json = settings.write(new ConfigJson()
                        .set("architectures", List.of("SmolLM3ForCausalLM"))
                        .set("model_type", "smollm3"))
                .set("hidden_act", Activations.name(settings.hiddenAct()))
                .set("rms_norm_eps", settings.normEps())
                .set("attention_bias", attentionBias)
                .set("mlp_bias", mlpBias)
                .set(
                        "no_rope_layers",
                        IntStream.range(0, layers)
                                .map(i -> noRopeLayers.contains(i) ? 0 : 1)
                                .boxed()
                                .toList())
                .set("use_sliding_window", windows)
                .set("sliding_window", windows ? window.size() : null)
                .set("layer_types", window.layerTypes(layers));
        return settings.rope().write(json);
    }
}
