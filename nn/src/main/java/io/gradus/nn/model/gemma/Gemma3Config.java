package io.gradus.nn.model.gemma;

import static io.gradus.nn.model.ConfigJson.require;
import static io.gradus.nn.model.ConfigKey.harmless;
import static io.gradus.nn.model.ConfigKey.honored;
import static io.gradus.nn.model.ConfigKey.optional;
import static io.gradus.nn.model.ConfigKey.rejected;

import io.gradus.nn.WeightSource;
import io.gradus.nn.model.Activations;
import io.gradus.nn.model.ConfigJson;
import io.gradus.nn.model.ConfigKey;
import io.gradus.nn.model.Head;
import io.gradus.nn.model.LanguageModel;
import io.gradus.nn.model.decoder.DecoderConfig;
import io.gradus.nn.model.decoder.DecoderKeys;
import io.gradus.nn.model.decoder.DecoderSettings;
import io.gradus.nn.model.decoder.Rope;
import io.gradus.nn.model.decoder.SlidingWindow;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * The configuration of a Gemma 3 for text.
 *
 * @param settings what all decoders have
 * @param localRope rotary positions of the layers with a window
 * @param attentionBias whether the attention projections have biases
 * @param queryPreAttnScalar by whose root scores of attention are divided
 * @param finalLogitSoftcapping bound of the logits, or 0 if there is none
 */
public record Gemma3Config(
        DecoderSettings settings,
        Rope localRope,
        boolean attentionBias,
        int queryPreAttnScalar,
        double finalLogitSoftcapping)
        implements DecoderConfig {
    /** The table of the keys of {@code config.json}. */
    static final List<ConfigKey> KEYS = DecoderKeys.withoutRotary(
            honored("hidden_activation", "activation of the feed-forward layers"),
            honored("rms_norm_eps", "added to the mean square in each norm"),
            optional("attention_dropout", DecoderKeys.DROPOUT),
            honored("num_key_value_heads", "key-value heads; 4 by default"),
            honored("head_dim", "elements per head; 256 by default"),
            honored("attention_bias", "whether all attention projections have biases"),
            honored("query_pre_attn_scalar", "scores are divided by its square root; 256 by default"),
            honored("sliding_window", "tokens that a token attends to, itself included; 4,096 by default"),
            optional(
                    "layer_types",
                    "sliding_attention or full_attention for each layer; all but every sixth have a window by default"),
            honored(
                    "sliding_window_pattern",
                    "without layer_types, each so many layers one has no window; 6 by default"),
            optional("final_logit_softcapping", "bound c of the logits x, c·tanh(x/c); none by default"),
            honored("rope_theta", "base of the rotary frequencies of layers without a window; 1,000,000 by default"),
            honored("rope_local_base_freq", "base of those with a window; 10,000 by default"),
            optional("rope_parameters", "rotary positions, in the spelling of transformers 5"),
            optional("rope_parameters.full_attention", "of layers without a window; has the keys of rope_scaling"),
            optional("rope_parameters.sliding_attention", "of layers with a window; has the keys of rope_scaling"),
            optional("rope_scaling", "of layers without a window, in the spelling of transformers 4"),
            honored("rope_scaling.rope_type", "default, linear, dynamic, llama3 or yarn; others are rejected"),
            honored("rope_scaling.rope_theta", "base of the rotary frequencies"),
            optional("rope_scaling.factor", "linear, dynamic, llama3, yarn: the ratio of the context lengths"),
            honored("rope_scaling.low_freq_factor", "llama3: rotations below which a frequency is low"),
            honored("rope_scaling.high_freq_factor", "llama3: rotations above which a frequency is high"),
            honored("rope_scaling.original_max_position_embeddings", "llama3, yarn: context length of pre-training"),
            optional("rope_scaling.attention_factor", "yarn: factor of cosines and sines"),
            optional("rope_scaling.beta_fast", "yarn: rotations above which a frequency is high"),
            optional("rope_scaling.beta_slow", "yarn: rotations below which a frequency is low"),
            optional("rope_scaling.mscale", "yarn: with mscale_all_dim, sets attention_factor"),
            optional("rope_scaling.mscale_all_dim", "yarn: with mscale, sets attention_factor"),
            rejected("use_bidirectional_attention", false, "attention to later tokens is not supported"),
            harmless("_sliding_window_pattern", "transformers writes it beside layer_types"),
            harmless("attn_logit_softcapping", "transformers does not use it in Gemma 3"),
            harmless("cache_implementation", "of how a program computes the same results"),
            harmless("hidden_act", "Gemma 3 has hidden_activation"),
            harmless("original_max_position_embeddings", "of Phi-3"),
            harmless("partial_rotary_factor", "not used by the default rope_type; others reject it"));

    public Gemma3Config {
        GemmaKeys.requireHeads(settings, queryPreAttnScalar);
    }

    /**
     * Reads the {@code config.json} of a Gemma 3 for text.
     *
     * @throws IllegalArgumentException if a key is missing, malformed or not supported
     */
    public static Gemma3Config read(ConfigJson json) {
        ConfigKey.check(KEYS, json);
        int heads = json.size("num_attention_heads");
        int headDim = json.size("head_dim", 256);
        int context = json.size("max_position_embeddings", 131_072);
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
                rope(json, headDim, context),
                json.flag("tie_word_embeddings", true),
                json.number("attention_dropout", 0),
                slidingWindow(json),
                DecoderSettings.padding(json, 0),
                json.number("initializer_range", 0.02));
        return new Gemma3Config(
                settings,
                localRope(json, headDim, context),
                json.flag("attention_bias", false),
                json.size("query_pre_attn_scalar", 256),
                GemmaKeys.softcap(json, "final_logit_softcapping", 0));
    }

    private static Rope rope(ConfigJson json, int headDim, int context) {
        ConfigJson older = json.object("rope_scaling");
        ConfigJson full = json.object("rope_parameters").object("full_attention");
        require(
                older.isEmpty() || full.isEmpty(),
                "rope_scaling and rope_parameters.full_attention are both set; remove one of them");
        require(
                !older.has("type") || older.has("rope_type"),
                "rope_scaling.type is " + older.text("type", "")
                        + ", which transformers does not read in Gemma 3; name it" + " rope_type");
        return ofLayers(json, older.isEmpty() ? full : older, headDim, context, json.number("rope_theta", 1_000_000));
    }

    private static Rope localRope(ConfigJson json, int headDim, int context) {
        ConfigJson local = json.object("rope_parameters").object("sliding_attention");
        return ofLayers(json, local, headDim, context, json.number("rope_local_base_freq", 10_000));
    }

    private static Rope ofLayers(ConfigJson json, ConfigJson rope, int headDim, int context, double missingTheta) {
        require(rope.flag("truncate", true), "truncate is false, which transformers does not read in Gemma 3");
        return Rope.ofLayers(json, rope, headDim, context, missingTheta);
    }

    private static SlidingWindow slidingWindow(ConfigJson json) {
        int layers = json.size("num_hidden_layers");
        @Nullable Integer size = SlidingWindow.size(json, 4096);
        int pattern = json.integer("sliding_window_pattern", 6);
        if (json.has("layer_types")) {
            return SlidingWindow.of(size, json.texts("layer_types"), layers);
        }
        require(pattern != 0, "sliding_window_pattern is 0");
        return SlidingWindow.where(layer -> (layer + 1) % pattern != 0, size, layers);
    }

    /** A model for text only is {@code Gemma3Text} in transformers, except with a language modeling head. */
    @Override
    public String architecture(Head head) {
        return head instanceof Head.LanguageModeling ? "Gemma3ForCausalLM" : "Gemma3Text" + head.suffix();
    }

    @Override
    public LanguageModel build(WeightSource weights) {
        return new Gemma3(this, weights);
    }

    @Override
    public ConfigJson toJson() {
        SlidingWindow window = settings.slidingWindow();
        ConfigJson json = settings.write(new ConfigJson()
                        .set("architectures", List.of("Gemma3ForCausalLM"))
                        .set("model_type", "gemma3_text"))
                .set("hidden_activation", Activations.name(settings.hiddenAct()))
                .set("rms_norm_eps", settings.normEps())
                .set("attention_bias", attentionBias)
                .set("query_pre_attn_scalar", queryPreAttnScalar)
                .set("layer_types", window.layerTypes(settings.numHiddenLayers()))
                .set("final_logit_softcapping", finalLogitSoftcapping > 0 ? finalLogitSoftcapping : null)
                .set(
                        "rope_parameters",
                        new ConfigJson()
                                .set("full_attention", settings.rope().toJson())
                                .set("sliding_attention", localRope.toJson()));
        return window.size() > 0 ? json.set("sliding_window", window.size()) : json;
    }
}
