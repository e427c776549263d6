package io.gradus.nn.model.llama;

import static io.gradus.nn.model.ConfigJson.require;

import io.gradus.nn.model.Activations;
import io.gradus.nn.model.ConfigJson;
import io.gradus.nn.model.ConfigKey;
import io.gradus.nn.model.decoder.DecoderSettings;
import io.gradus.nn.model.decoder.Rope;
import io.gradus.nn.model.decoder.SlidingWindow;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** Reads and writes the {@code config.json} of a {@link LlamaConfig}. A missing key has the default of its class in transformers. */
final class LlamaJson {
    private static final int WINDOW = 4096;
    private static final int MAX_WINDOW_LAYERS = 28;

    private LlamaJson() {}

    static LlamaConfig read(ConfigJson json) {
        LlamaType type = LlamaType.of(json.text("model_type", LlamaType.LLAMA.modelType()));
        ConfigKey.check(type.keys(), json);
        int hidden = json.size("hidden_size");
        int headDim = DecoderSettings.headDim(json);
        int heads = json.size("num_attention_heads");
        require(
                type != LlamaType.LLAMA || json.has("head_dim") || hidden % heads == 0,
                "hidden_size is " + hidden + ", which is not a multiple of num_attention_heads, " + heads);
        int layers = json.size("num_hidden_layers");
        int context = json.size("max_position_embeddings", type.context());
        boolean llama = type == LlamaType.LLAMA;
        DecoderSettings settings = new DecoderSettings(
                json.size("vocab_size"),
                hidden,
                json.size("intermediate_size"),
                layers,
                heads,
                keyValueHeads(json, type, heads),
                headDim,
                Activations.read(json, "hidden_act", "silu"),
                context,
                json.number("rms_norm_eps", 1e-6),
                Rope.read(json, headDim, context),
                json.flag("tie_word_embeddings", false),
                json.number("attention_dropout", 0),
                slidingWindow(json, type, layers),
                DecoderSettings.padding(json, null),
                json.number("initializer_range", 0.02));
        return new LlamaConfig(
                type, settings, llama && json.flag("attention_bias", false), llama && json.flag("mlp_bias", false));
    }

    private static int keyValueHeads(ConfigJson json, LlamaType type, int heads) {
        int missing = switch (type) {
            case LLAMA -> heads;
            case MISTRAL -> 8;
            case QWEN2 -> json.mentions("num_key_value_heads") ? heads : 32;
        };
        return json.size("num_key_value_heads", missing);
    }

    private static SlidingWindow slidingWindow(ConfigJson json, LlamaType type, int layers) {
        if (type == LlamaType.LLAMA) {
            return SlidingWindow.NONE;
        }
        @Nullable Integer size = SlidingWindow.size(json, WINDOW);
        boolean windows = type == LlamaType.MISTRAL || json.flag("use_sliding_window", false);
        @Nullable Integer window = windows ? size : null;
        int first = type == LlamaType.QWEN2 ? json.integer("max_window_layers", MAX_WINDOW_LAYERS) : 0;
        if (json.has("layer_types")) {
            return SlidingWindow.of(window, json.texts("layer_types"), layers);
        }
        return window == null ? SlidingWindow.NONE : SlidingWindow.from(window, first, layers);
    }

    static ConfigJson write(LlamaConfig config) {
        LlamaType type = config.type();
        DecoderSettings settings = config.settings();
        ConfigJson json = settings.write(new ConfigJson()
                        .set("architectures", List.of(type.architecture()))
                        .set("model_type", type.modelType()))
                .set("hidden_act", Activations.name(settings.hiddenAct()))
                .set("rms_norm_eps", settings.normEps());
        settings.rope().write(json);
        if (type == LlamaType.LLAMA) {
            return json.set("attention_bias", config.attentionBias()).set("mlp_bias", config.mlpBias());
        }
        return writeWindow(json, type, settings.slidingWindow(), settings.numHiddenLayers());
    }

    private static ConfigJson writeWindow(ConfigJson json, LlamaType type, SlidingWindow window, int layers) {
        boolean any = window.size() > 0;
        json.set("sliding_window", any ? window.size() : null);
        if (type == LlamaType.QWEN2) {
            json.set("use_sliding_window", any);
        }
        boolean asByDefault = !any || (type == LlamaType.MISTRAL && window.first() == 0);
        return asByDefault ? json : json.set("layer_types", window.layerTypes(layers));
    }
}
