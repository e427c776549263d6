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
import io.gradus.nn.model.decoder.SlidingWindow;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * The configuration of a Phi-3.
 *
 * @param settings what all decoders have
 * @param residPdrop dropout probability of what attention and the feed-forward network add
 */
public record Phi3Config(DecoderSettings settings, double residPdrop) implements DecoderConfig {
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
            honored("rope_parameters.rope_type", "default; others are rejected"),
            honored("rope_parameters.type", "the older name of rope_type"),
            honored("rope_parameters.rope_theta", "base of the rotary frequencies"),
            honored("rope_parameters.partial_rotary_factor", "share of each head that is rotated; 1 by default"),
            harmless("attention_bias", "Phi-3 has no biases"),
            harmless("embd_pdrop", "transformers does not drop embeddings of Phi-3"),
            harmless("mlp_bias", "Phi-3 has no biases"),
            harmless("original_max_position_embeddings", "of rope_type longrope, which is not supported"));

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
        Rope rope = Rope.partial(
                json, headDim, context, json.number("rope_theta", 10_000), json.number("partial_rotary_factor", 1));
        require(rope.scaling() == null, "rope_type is not 'default', the only one that is supported of Phi-3");
        return rope;
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
        return settings.write(new ConfigJson()
                        .set("architectures", List.of("Phi3ForCausalLM"))
                        .set("model_type", "phi3"))
                .set("hidden_act", Activations.name(settings.hiddenAct()))
                .set("rms_norm_eps", settings.normEps())
                .set("resid_pdrop", residPdrop)
                .set("sliding_window", window.size() > 0 ? window.size() : null)
                .set("rope_theta", settings.rope().theta())
                .set("partial_rotary_factor", settings.rope().factor(settings.headDim()));
    }
}
