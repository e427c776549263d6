package io.gradus.nn.model.phi3;

import static io.gradus.nn.model.ConfigJson.require;
import static io.gradus.nn.model.ConfigKey.harmless;
import static io.gradus.nn.model.ConfigKey.honored;
import static io.gradus.nn.model.ConfigKey.optional;
import static io.gradus.nn.model.decoder.DecoderSettings.requireProbability;

import io.gradus.nn.WeightSource;
import io.gradus.nn.model.Activations;
import io.gradus.nn.model.ConfigJson;
import io.gradus.nn.model.ConfigKey;
import io.gradus.nn.model.ConfigSize;
import io.gradus.nn.model.ConfigSize.Axis;
import io.gradus.nn.model.ConfigSize.Layers;
import io.gradus.nn.model.LanguageModel;
import io.gradus.nn.model.decoder.DecoderConfig;
import io.gradus.nn.model.decoder.DecoderKeys;
import io.gradus.nn.model.decoder.DecoderSettings;
import io.gradus.nn.model.decoder.Rope;
import io.gradus.nn.model.decoder.RopeScaling;
import io.gradus.nn.model.decoder.SlidingWindow;
import java.util.List;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * The configuration of a Phi-3.
 *
 * @param settings what all decoders have
 * @param residPdrop dropout probability of what attention and the feed-forward network add
 */
public record Phi3Config(DecoderSettings settings, double residPdrop) implements DecoderConfig {
    private static final String ORIGINAL = "original_max_position_embeddings";
    private static final double ORIGINAL_CONTEXT = 4096;

    /** The second is the name in early versions. */
    private static final Set<String> LONG_ROPE = Set.of("longrope", "yarn");

    /** The table of the keys of {@code config.json}. */
    static final List<ConfigKey> KEYS = DecoderKeys.withoutRotary(
            honored("hidden_act", "activation of the feed-forward layers"),
            honored("rms_norm_eps", "added to the mean square in each norm"),
            honored("attention_dropout", DecoderKeys.DROPOUT),
            honored("resid_pdrop", "share of what a layer adds to its input that is dropped in training"),
            optional("num_key_value_heads", "key-value heads; num_attention_heads by default"),
            honored("head_dim", "elements per head; hidden_size / num_attention_heads by default"),
            optional("sliding_window", "tokens that a token attends to, itself included; none by default"),
            honored("rope_theta", "base of the rotary frequencies, unless the object below has one"),
            honored("partial_rotary_factor", "share of each head that is rotated, unless the object below has one"),
            optional("rope_parameters", "rotary positions, in the spelling of transformers 5"),
            optional("rope_scaling", "the same in the spelling of transformers 4; comes first if both are there"),
            honored("rope_parameters.rope_type", "default or longrope; others are rejected"),
            honored("rope_parameters.type", "the older name of rope_type"),
            honored("rope_parameters.rope_theta", "base of the rotary frequencies"),
            honored("rope_parameters.partial_rotary_factor", "share of each head that is rotated; 1 by default"),
            honored("rope_parameters.short_factor", "longrope: divides each frequency in short texts"),
            honored("rope_parameters.long_factor", "longrope: divides each frequency in long texts"),
            optional("rope_parameters.factor", "longrope: the ratio of the context lengths, if it is another"),
            optional("rope_parameters.attention_factor", "longrope: factor of cosines and sines"),
            honored("original_max_position_embeddings", "longrope: tokens of the longest short text; 4,096 by default"),
            harmless("attention_bias", "Phi-3 has no biases"),
            harmless("embd_pdrop", "transformers does not drop embeddings of Phi-3"),
            harmless("mlp_bias", "Phi-3 has no biases"));

    public Phi3Config {
        requireProbability("resid_pdrop", residPdrop);
    }

    /**
     * Reads the {@code config.json} of a Phi-3.
     *
     * @throws IllegalArgumentException if a key is missing, malformed or not supported
     */
    public static Phi3Config read(ConfigJson json) {
        ConfigKey.check(KEYS, json);
        int heads = json.size("num_attention_heads");
        int headDim = DecoderSettings.headDim(json);
        int context = json.size("max_position_embeddings", 4096);
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
                rope(json, headDim, context),
                json.flag("tie_word_embeddings", false),
                json.number("attention_dropout", 0),
                slidingWindow(json),
                DecoderSettings.padding(json, 32_000),
                json.number("initializer_range", 0.02));
        return new Phi3Config(settings, json.number("resid_pdrop", 0));
    }

    private static Rope rope(ConfigJson json, int headDim, int context) {
        double theta = json.number("rope_theta", 10_000);
        double share = json.number("partial_rotary_factor", 1);
        double original = json.number(ORIGINAL, ORIGINAL_CONTEXT);
        ConfigJson older = json.object("rope_scaling");
        ConfigJson rope = older.isEmpty() ? json.object("rope_parameters") : older;
        String type = rope.text("rope_type", rope.text("type", "default"));
        if (!LONG_ROPE.contains(type)) {
            Rope plain = Rope.partial(json, headDim, context, theta, share);
            require(
                    plain.scaling() == null,
                    "rope_type is '" + type + "'; of Phi-3, default and longrope are supported");
            return plain;
        }
        rope.ignore(ORIGINAL); // transformers replaces it with the one outside
        int dims = (int) (headDim * rope.number("partial_rotary_factor", share));
        double factor = rope.number("factor", context / original);
        return new Rope(
                rope.number("rope_theta", theta),
                new RopeScaling.LongRope(
                        factors(rope, "short_factor", dims),
                        factors(rope, "long_factor", dims),
                        (long) original,
                        rope.number("attention_factor", RopeScaling.LongRope.attentionFactor(factor, original))),
                dims);
    }

    private static List<Double> factors(ConfigJson rope, String key, int dims) {
        List<Double> factors = rope.numbers(key);
        require(
                dims % 2 == 0 && factors.size() == dims / 2,
                "rope_type is longrope, and " + key + " has " + factors.size()
                        + " numbers; it must have one for each of " + dims / 2 + " pairs of elements");
        return factors;
    }

    private static SlidingWindow slidingWindow(ConfigJson json) {
        @Nullable Integer size = SlidingWindow.size(json, null);
        return size == null ? SlidingWindow.NONE : SlidingWindow.from(size, 0, json.size("num_hidden_layers"));
    }

    @Override
    public List<ConfigSize> sizes() {
        String layer = "model.layers.0.";
        long rows = (settings.numAttentionHeads() + 2L * settings.numKeyValueHeads()) * settings.headDim();
        return List.of(
                new Layers("num_hidden_layers", numHiddenLayers(), "model.layers."),
                new Axis("vocab_size", vocabSize(), "model.embed_tokens.weight", 0),
                new Axis("hidden_size", hiddenSize(), "model.embed_tokens.weight", 1),
                new Axis("intermediate_size", settings.intermediateSize(), layer + "mlp.down_proj.weight", 1),
                new Axis(
                        "(num_attention_heads + 2 × num_key_value_heads) × head_dim",
                        rows,
                        layer + "self_attn.qkv_proj.weight",
                        0));
    }

    @Override
    public LanguageModel build(WeightSource weights) {
        return new Phi3(this, weights);
    }

    @Override
    public ConfigJson toJson() {
        SlidingWindow window = settings.slidingWindow();
        ConfigJson json = settings.write(new ConfigJson()
                        .set("architectures", List.of("Phi3ForCausalLM"))
                        .set("model_type", "phi3"))
                .set("hidden_act", Activations.name(settings.hiddenAct()))
                .set("rms_norm_eps", settings.normEps())
                .set("resid_pdrop", residPdrop)
                .set("sliding_window", window.size() > 0 ? window.size() : null)
                .set("rope_theta", settings.rope().theta())
                .set("partial_rotary_factor", settings.rope().factor(settings.headDim()));
        return settings.rope().scaling() instanceof RopeScaling.LongRope scaling ? longRope(json, scaling) : json;
    }

    /** The factor of cosines and sines is left out if it follows from the rest: version 4 of transformers rejects it. */
    private ConfigJson longRope(ConfigJson json, RopeScaling.LongRope scaling) {
        double original = scaling.originalMaxPositionEmbeddings();
        ConfigJson rope = scaling.toJson();
        if (scaling.attentionFactor()
                != RopeScaling.LongRope.attentionFactor(settings.maxPositionEmbeddings() / original, original)) {
            rope.set("attention_factor", scaling.attentionFactor());
        }
        return json.set(ORIGINAL, scaling.originalMaxPositionEmbeddings()).set("rope_scaling", rope);
    }
}
