package io.gradus.nn.model.llama;

import static io.gradus.nn.model.ConfigJson.require;

import io.gradus.nn.model.Activations;
import io.gradus.nn.model.ConfigJson;
import io.gradus.nn.model.ConfigKey;
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
        int heads = json.size("num_attention_heads");
        require(
                type != LlamaType.LLAMA || json.has("head_dim") || hidden % heads == 0,
                "hidden_size is " + hidden + ", which is not a multiple of num_attention_heads, " + heads);
        int headDim = json.size("head_dim", hidden / heads);
        int layers = json.size("num_hidden_layers");
        int vocabulary = json.size("vocab_size");
        int context = json.size("max_position_embeddings", type.context());
        Rope rope = Rope.read(json, headDim, context);
        boolean llama = type == LlamaType.LLAMA;
        return new LlamaConfig(
                type,
                vocabulary,
                hidden,
                json.size("intermediate_size"),
                layers,
                heads,
                keyValueHeads(json, type, heads),
                headDim,
                Activations.read(json, "hidden_act", "silu"),
                context,
                json.number("rms_norm_eps", 1e-6),
                rope.theta(),
                rope.scaling(),
                json.flag("tie_word_embeddings", false),
                llama && json.flag("attention_bias", false),
                llama && json.flag("mlp_bias", false),
                json.number("attention_dropout", 0),
                slidingWindow(json, type, layers),
                padding(json, vocabulary),
                json.number("initializer_range", 0.02));
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
        boolean windows =
                type == LlamaType.MISTRAL || (type == LlamaType.QWEN2 && json.flag("use_sliding_window", false));
        if (type == LlamaType.LLAMA) {
            return SlidingWindow.NONE;
        }
        int size = json.integer("sliding_window", json.mentions("sliding_window") ? 0 : WINDOW);
        require(size > 0 || !json.has("sliding_window"), "sliding_window is " + size + "; it must be at least 1");
        @Nullable Integer window = windows && size > 0 ? size : null;
        int first = type == LlamaType.QWEN2 ? json.integer("max_window_layers", MAX_WINDOW_LAYERS) : 0;
        if (json.has("layer_types")) {
            return SlidingWindow.of(window, json.texts("layer_types"), layers);
        }
        return window == null ? SlidingWindow.NONE : SlidingWindow.from(window, first, layers);
    }

    /** A negative index counts from the end, as in PyTorch. */
    private static @Nullable Integer padding(ConfigJson json, int vocabulary) {
        if (!json.has("pad_token_id")) {
            return null;
        }
        int id = json.integer("pad_token_id");
        require(id >= -vocabulary, "pad_token_id is " + id + ", and vocab_size is " + vocabulary);
        return id < 0 ? id + vocabulary : id;
    }

    static ConfigJson write(LlamaConfig config) {
        LlamaType type = config.type();
        ConfigJson json = new ConfigJson()
                .set("architectures", List.of(type.architecture()))
                .set("model_type", type.modelType())
                .set("vocab_size", config.vocabSize())
                .set("hidden_size", config.hiddenSize())
                .set("intermediate_size", config.intermediateSize())
                .set("num_hidden_layers", config.numHiddenLayers())
                .set("num_attention_heads", config.numAttentionHeads())
                .set("num_key_value_heads", config.numKeyValueHeads())
                .set("head_dim", config.headDim())
                .set("max_position_embeddings", config.maxPositionEmbeddings())
                .set("hidden_act", Activations.name(config.hiddenAct()))
                .set("rms_norm_eps", config.rmsNormEps())
                .set("rope_theta", config.ropeTheta());
        if (config.ropeScaling() != null) {
            json.set("rope_scaling", config.ropeScaling().toJson());
        }
        json.set("tie_word_embeddings", config.tieWordEmbeddings())
                .set("attention_dropout", config.attentionDropout())
                .set("initializer_range", config.initializerRange());
        if (config.padTokenId() != null) {
            json.set("pad_token_id", config.padTokenId());
        }
        if (type == LlamaType.LLAMA) {
            return json.set("attention_bias", config.attentionBias()).set("mlp_bias", config.mlpBias());
        }
        return writeWindow(json, type, config.slidingWindow(), config.numHiddenLayers());
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
