package io.gradus.nn.model.granite;

import static io.gradus.nn.model.ConfigJson.require;
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

/**
 * The configuration of a Granite 3.
 *
 * @param settings what all decoders have
 * @param attentionBias whether the attention projections have biases
 * @param mlpBias whether the feed-forward layers have biases
 * @param embeddingMultiplier factor of the embeddings
 * @param logitsScaling by which logits are divided
 * @param residualMultiplier factor of what attention and the feed-forward network add
 * @param attentionMultiplier factor of the scores of attention
 */
public record GraniteConfig(
        DecoderSettings settings,
        boolean attentionBias,
        boolean mlpBias,
        double embeddingMultiplier,
        double logitsScaling,
        double residualMultiplier,
        double attentionMultiplier)
        implements DecoderConfig {
    /** The table of the keys of {@code config.json}. */
    static final List<ConfigKey> KEYS = DecoderKeys.likeLlama(
            honored("attention_dropout", DecoderKeys.DROPOUT),
            optional("num_key_value_heads", "key-value heads; num_attention_heads by default"),
            honored("head_dim", "elements per head; hidden_size / num_attention_heads by default"),
            honored("attention_bias", "whether all attention projections have biases"),
            honored("mlp_bias", "whether the feed-forward layers have biases"),
            honored("embedding_multiplier", "factor of the embeddings; 1 by default"),
            honored("logits_scaling", "by which logits are divided; 1 by default"),
            honored("residual_multiplier", "factor of what attention and the feed-forward network add; 1 by default"),
            honored("attention_multiplier", "factor of the scores of attention; 1 by default"));

    public GraniteConfig {
        require(logitsScaling != 0, "logits_scaling is 0");
        requireFinite("embedding_multiplier", embeddingMultiplier);
        requireFinite("logits_scaling", logitsScaling);
        requireFinite("residual_multiplier", residualMultiplier);
        requireFinite("attention_multiplier", attentionMultiplier);
    }

    private static void requireFinite(String key, double value) {
        require(Double.isFinite(value), key + " is " + value);
    }

    /**
     * Reads the {@code config.json} of a Granite 3.
     *
     * @throws IllegalArgumentException if a key is missing, malformed or not supported
     */
    public static GraniteConfig read(ConfigJson json) {
        ConfigKey.check(KEYS, json);
        int heads = json.size("num_attention_heads");
        int headDim = DecoderSettings.headDim(json);
        int context = json.size("max_position_embeddings", 2048);
        DecoderSettings settings = new DecoderSettings(
                json.size("vocab_size"),
                json.size("hidden_size"),
                json.size("intermediate_size"),
                json.size("num_hidden_layers"),
                heads,
                json.size("num_key_value_heads", heads),
                headDim,
                Activations.read(json, "hidden_act", "silu"),
                context,
                json.number("rms_norm_eps", 1e-6),
                Rope.read(json, headDim, context),
                json.flag("tie_word_embeddings", false),
                json.number("attention_dropout", 0),
                SlidingWindow.NONE,
                DecoderSettings.padding(json, null),
                json.number("initializer_range", 0.02));
        return new GraniteConfig(
                settings,
                json.flag("attention_bias", false),
                json.flag("mlp_bias", false),
                json.number("embedding_multiplier", 1),
                json.number("logits_scaling", 1),
                json.number("residual_multiplier", 1),
                json.number("attention_multiplier", 1));
    }

    @Override
    public LanguageModel build(WeightSource weights) {
        return new Granite(this, weights);
    }

    @Override
    public ConfigJson toJson() {
        ConfigJson json = settings.write(new ConfigJson()
                        .set("architectures", List.of("GraniteForCausalLM"))
                        .set("model_type", "granite"))
                .set("hidden_act", Activations.name(settings.hiddenAct()))
                .set("rms_norm_eps", settings.normEps())
                .set("attention_bias", attentionBias)
                .set("mlp_bias", mlpBias)
                .set("embedding_multiplier", embeddingMultiplier)
                .set("logits_scaling", logitsScaling)
                .set("residual_multiplier", residualMultiplier)
                .set("attention_multiplier", attentionMultiplier);
        return settings.rope().write(json);
    }
}
