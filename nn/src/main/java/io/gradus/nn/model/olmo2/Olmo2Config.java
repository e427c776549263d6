package io.gradus.nn.model.olmo2;

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

/**
 * The configuration of an OLMo 2.
 *
 * @param settings what all decoders have
 * @param attentionBias whether the attention projections have biases
 */
public record Olmo2Config(DecoderSettings settings, boolean attentionBias) implements DecoderConfig {
    /** The table of the keys of {@code config.json}. */
    static final List<ConfigKey> KEYS = DecoderKeys.likeLlama(
            honored("attention_dropout", DecoderKeys.DROPOUT),
            optional("num_key_value_heads", "key-value heads; num_attention_heads by default"),
            honored("head_dim", "elements per head; hidden_size / num_attention_heads by default"),
            honored("attention_bias", "whether all attention projections have biases"),
            harmless("mlp_bias", "the feed-forward layers of OLMo 2 have no biases"));

    /**
     * Reads the {@code config.json} of an OLMo 2.
     *
     * @throws IllegalArgumentException if a key is missing, malformed or not supported
     */
    public static Olmo2Config read(ConfigJson json) {
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
                json.number("rms_norm_eps", 1e-5),
                Rope.read(json, headDim, context),
                json.flag("tie_word_embeddings", false),
                json.number("attention_dropout", 0),
                SlidingWindow.NONE,
                DecoderSettings.padding(json, 1),
                json.number("initializer_range", 0.02));
        return new Olmo2Config(settings, json.flag("attention_bias", false));
    }

    @Override
    public LanguageModel build(WeightSource weights) {
        return new Olmo2(this, weights);
    }

    @Override
    public ConfigJson toJson() {
        ConfigJson json = settings.write(new ConfigJson()
                        .set("architectures", List.of("Olmo2ForCausalLM"))
                        .set("model_type", "olmo2"))
                .set("hidden_act", Activations.name(settings.hiddenAct()))
                .set("rms_norm_eps", settings.normEps())
                .set("attention_bias", attentionBias);
        return settings.rope().write(json);
    }
}
