package io.gradus.nn.model.gemma;

import static io.gradus.nn.model.ConfigKey.harmless;
import static io.gradus.nn.model.ConfigKey.honored;
import static io.gradus.nn.model.ConfigKey.optional;
import static io.gradus.nn.model.ConfigKey.rejected;

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
 * The configuration of a Gemma 2.
 *
 * @param settings what all decoders have
 * @param attentionBias whether the attention projections have biases
 * @param queryPreAttnScalar by whose root scores of attention are divided
 * @param attnLogitSoftcapping bound of the scores of attention, or 0 if there is none
 * @param finalLogitSoftcapping bound of the logits, or 0 if there is none
 */
public record Gemma2Config(
        DecoderSettings settings,
        boolean attentionBias,
        int queryPreAttnScalar,
        double attnLogitSoftcapping,
        double finalLogitSoftcapping)
        implements DecoderConfig {
    /** The table of the keys of {@code config.json}. */
    static final List<ConfigKey> KEYS = DecoderKeys.withRotary(
            honored("hidden_activation", "activation of the feed-forward layers"),
            honored("rms_norm_eps", "added to the mean square in each norm"),
            optional("attention_dropout", DecoderKeys.DROPOUT),
            honored("num_key_value_heads", "key-value heads; 4 by default"),
            honored("head_dim", "elements per head; 256 by default"),
            honored("attention_bias", "whether all attention projections have biases"),
            honored("query_pre_attn_scalar", "scores are divided by its square root; 256 by default"),
            honored("sliding_window", "tokens that a token attends to, itself included; 4,096 by default"),
            optional("layer_types", "sliding_attention or full_attention for each layer; every second one by default"),
            optional("attn_logit_softcapping", "bound c of the scores s of attention, c·tanh(s/c); 50 by default"),
            optional("final_logit_softcapping", "bound c of the logits x, c·tanh(x/c); 30 by default"),
            rejected("use_bidirectional_attention", false, "attention to later tokens is not supported"),
            harmless("cache_implementation", "of how a program computes the same results"),
            harmless("hidden_act", "Gemma 2 has hidden_activation"));

    public Gemma2Config {
        GemmaKeys.requireHeads(settings, queryPreAttnScalar);
    }

    /**
     * Reads the {@code config.json} of a Gemma 2.
     *
     * @throws IllegalArgumentException if a key is missing, malformed or not supported
     */
    public static Gemma2Config read(ConfigJson json) {
        ConfigKey.check(KEYS, json);
        int heads = json.size("num_attention_heads");
        int headDim = json.size("head_dim", 256);
        int context = json.size("max_position_embeddings", 8192);
        DecoderSettings settings = new DecoderSettings(
                json.size("vocab_size"),
                json.size("hidden_size"),
                json.size("intermediate_size"),
                json.size("num_hidden_layers"),
                heads,
                json.size("num_key_value_heads", 4),
                headDim,
                Activations.read(json, "hidden_activation", "gelu_pytorch_tanh"),
                context,
                json.number("rms_norm_eps", 1e-6),
                Rope.read(json, headDim, context),
                json.flag("tie_word_embeddings", true),
                json.number("attention_dropout", 0),
                slidingWindow(json),
                DecoderSettings.padding(json, 0),
                json.number("initializer_range", 0.02));
        return new Gemma2Config(
                settings,
                json.flag("attention_bias", false),
                json.size("query_pre_attn_scalar", 256),
                GemmaKeys.softcap(json, "attn_logit_softcapping", 50),
                GemmaKeys.softcap(json, "final_logit_softcapping", 30));
    }

    private static SlidingWindow slidingWindow(ConfigJson json) {
        int layers = json.size("num_hidden_layers");
        @Nullable Integer size = SlidingWindow.size(json, 4096);
        return json.has("layer_types")
                ? SlidingWindow.of(size, json.texts("layer_types"), layers)
                : SlidingWindow.where(layer -> layer % 2 == 0, size, layers);
    }

    @Override
    public LanguageModel build(WeightSource weights) {
        return new Gemma2(this, weights);
    }

    @Override
    public ConfigJson toJson() {
        SlidingWindow window = settings.slidingWindow();
        ConfigJson json = settings.write(new ConfigJson()
                        .set("architectures", List.of("Gemma2ForCausalLM"))
                        .set("model_type", "gemma2"))
                .set("hidden_activation", Activations.name(settings.hiddenAct()))
                .set("rms_norm_eps", settings.normEps())
                .set("attention_bias", attentionBias)
                .set("query_pre_attn_scalar", queryPreAttnScalar)
                .set("layer_types", window.layerTypes(settings.numHiddenLayers()))
                .set("attn_logit_softcapping", attnLogitSoftcapping > 0 ? attnLogitSoftcapping : null)
                .set("final_logit_softcapping", finalLogitSoftcapping > 0 ? finalLogitSoftcapping : null);
        if (window.size() > 0) {
            json.set("sliding_window", window.size());
        }
        return settings.rope().write(json);
    }
}
