package io.gradus.nn.model.gptneox;

import static io.gradus.nn.model.ConfigJson.require;
import static io.gradus.nn.model.ConfigKey.harmless;
import static io.gradus.nn.model.ConfigKey.honored;
import static io.gradus.nn.model.ConfigKey.rejected;
import static io.gradus.nn.model.decoder.DecoderSettings.requireProbability;

import io.gradus.nn.WeightSource;
import io.gradus.nn.model.Activations;
import io.gradus.nn.model.ConfigJson;
import io.gradus.nn.model.ConfigKey;
import io.gradus.nn.model.ConfigSize;
import io.gradus.nn.model.ConfigSize.Axis;
import io.gradus.nn.model.ConfigSize.Layers;
import io.gradus.nn.model.Head;
import io.gradus.nn.model.LanguageModel;
import io.gradus.nn.model.PretrainedModel;
import io.gradus.nn.model.WordEmbeddings;
import io.gradus.nn.model.decoder.DecoderConfig;
import io.gradus.nn.model.decoder.DecoderHeads;
import io.gradus.nn.model.decoder.DecoderKeys;
import io.gradus.nn.model.decoder.DecoderSettings;
import io.gradus.nn.model.decoder.Rope;
import io.gradus.nn.model.decoder.SlidingWindow;
import java.util.List;
import java.util.Optional;
import java.util.function.Predicate;
import java.util.function.UnaryOperator;
import java.util.regex.Pattern;
import java.util.stream.Stream;

/**
 * The configuration of a GPT-NeoX.
 *
 * @param settings what all decoders have; no row of the embedding table is for padding
 * @param attentionBias whether the attention projections have biases
 * @param hiddenDropout dropout probability of the embeddings and of what each layer adds
 * @param useParallelResidual whether the feed-forward network reads the input of the layer, not its sum with the attention
 */
public record GptNeoXConfig(
        DecoderSettings settings, boolean attentionBias, double hiddenDropout, boolean useParallelResidual)
        implements DecoderConfig {
    private static final String PREFIX = "gpt_neox.";
    private static final String HEAD = "embed_out.weight";
    private static final String COMMON_HEAD = "lm_head.weight";

    /** Causal masks and rotary frequencies, which older versions of transformers saved with the weights. */
    private static final Pattern MASK =
            Pattern.compile("(gpt_neox\\.)?layers\\.\\d+\\.attention\\.(bias|masked_bias|rotary_emb\\.inv_freq)");

    /** The table of the keys of {@code config.json}. */
    static final List<ConfigKey> KEYS = Stream.concat(
                    Stream.of(
                            honored("vocab_size", "tokens in the vocabulary"),
                            honored("hidden_size", "elements of a hidden state"),
                            honored("intermediate_size", "elements between the feed-forward layers"),
                            honored("num_hidden_layers", "layers"),
                            honored("num_attention_heads", "attention heads"),
                            honored("hidden_act", "activation of the feed-forward layers"),
                            honored("max_position_embeddings", "context length, in tokens"),
                            honored("layer_norm_eps", "added to the variance in each norm"),
                            honored("tie_word_embeddings", "whether the output layer shares the embedding table"),
                            honored("attention_dropout", DecoderKeys.DROPOUT),
                            honored(
                                    "hidden_dropout",
                                    "share of the embeddings and of what a layer adds that is dropped in training"),
                            honored("attention_bias", "whether all attention projections have biases"),
                            honored(
                                    "use_parallel_residual",
                                    "whether the feed-forward network does not read the result of the attention"),
                            honored("rotary_emb_base", "base of the rotary frequencies; 10,000 by default"),
                            honored("rotary_pct", "share of each head that is rotated; 0.25 by default"),
                            harmless("initializer_range", "of new weights"),
                            harmless("pad_token_id", "of the tokenizer"),
                            harmless("partial_rotary_factor", "GPT-NeoX has rotary_pct"),
                            harmless("rope_theta", "GPT-NeoX has rotary_emb_base"),
                            rejected("head_dim", null, "heads have hidden_size / num_attention_heads elements")),
                    DecoderKeys.partialRotary().stream())
            .toList();

    public GptNeoXConfig {
        requireProbability("hidden_dropout", hiddenDropout);
    }

    /**
     * Reads the {@code config.json} of a GPT-NeoX.
     *
     * @throws IllegalArgumentException if a key is missing, malformed or not supported
     */
    public static GptNeoXConfig read(ConfigJson json) {
        ConfigKey.check(KEYS, json);
        int hidden = json.size("hidden_size");
        int heads = json.size("num_attention_heads");
        require(
                heads > 0 && hidden % heads == 0,
                "hidden_size is " + hidden + ", which is not a multiple of num_attention_heads, " + heads);
        int headDim = hidden / heads;
        int context = json.size("max_position_embeddings", 2048);
        Rope rope = Rope.partial(
                json, headDim, context, json.number("rotary_emb_base", 10_000), json.number("rotary_pct", 0.25));
        DecoderSettings settings = new DecoderSettings(
                json.size("vocab_size"),
                hidden,
                json.size("intermediate_size"),
                json.size("num_hidden_layers"),
                heads,
                heads,
                headDim,
                Activations.read(json, "hidden_act", "gelu"),
                context,
                json.number("layer_norm_eps", 1e-5),
                rope,
                json.flag("tie_word_embeddings", false),
                json.number("attention_dropout", 0),
                SlidingWindow.NONE,
                null,
                json.number("initializer_range", 0.02));
        return new GptNeoXConfig(
                settings,
                json.flag("attention_bias", true),
                json.number("hidden_dropout", 0),
                json.flag("use_parallel_residual", true));
    }

    @Override
    public List<ConfigSize> sizes() {
        String layer = PREFIX + "layers.0.";
        return List.of(
                new Layers("num_hidden_layers", numHiddenLayers(), PREFIX + "layers."),
                new Axis("vocab_size", vocabSize(), PREFIX + "embed_in.weight", 0),
                new Axis("hidden_size", hiddenSize(), PREFIX + "embed_in.weight", 1),
                new Axis("intermediate_size", settings.intermediateSize(), layer + "mlp.dense_h_to_4h.weight", 0));
    }

    @Override
    public LanguageModel build(WeightSource weights) {
        return new GptNeoX(this, weights);
    }

    @Override
    public PretrainedModel build(WeightSource weights, Head head) {
        return DecoderHeads.build(this, weights, head, "classifier");
    }

    @Override
    public Optional<WordEmbeddings> wordEmbeddings() {
        return Optional.of(new WordEmbeddings(PREFIX + "embed_in.weight", HEAD, settings.tieWordEmbeddings()));
    }

    /**
     * Some checkpoints hold the network without its output layer; their names lack the prefix {@code gpt_neox.}. Some give the
     * output layer the name that it has in other families.
     */
    @Override
    public UnaryOperator<String> tensorNames(Predicate<String> inCheckpoint) {
        boolean bare = inCheckpoint.test("embed_in.weight");
        boolean common = inCheckpoint.test(COMMON_HEAD);
        return name -> {
            if (name.equals(HEAD)) {
                return common ? COMMON_HEAD : HEAD;
            }
            return bare && name.startsWith(PREFIX) ? name.substring(PREFIX.length()) : name;
        };
    }

    /** Old checkpoints hold causal masks, and some with tied embeddings hold the embedding table twice. */
    @Override
    public boolean ignoresTensor(String name) {
        return MASK.matcher(name).matches()
                || (settings.tieWordEmbeddings() && (name.equals(HEAD) || name.equals(COMMON_HEAD)));
    }

    @Override
    public boolean isOfOtherHead(String name, Head head) {
        return DecoderConfig.super.isOfOtherHead(name, head)
                || (name.equals(COMMON_HEAD) && !(head instanceof Head.LanguageModeling));
    }

    @Override
    public ConfigJson toJson() {
        Rope rope = settings.rope();
        ConfigJson json = new ConfigJson()
                .set("architectures", List.of("GPTNeoXForCausalLM"))
                .set("model_type", "gpt_neox")
                .set("vocab_size", vocabSize())
                .set("hidden_size", hiddenSize())
                .set("intermediate_size", settings.intermediateSize())
                .set("num_hidden_layers", numHiddenLayers())
                .set("num_attention_heads", settings.numAttentionHeads())
                .set("hidden_act", Activations.name(settings.hiddenAct()))
                .set("max_position_embeddings", maxPositionEmbeddings())
                .set("layer_norm_eps", settings.normEps())
                .set("rotary_emb_base", rope.theta())
                .set("rotary_pct", rope.factor(settings.headDim()))
                .set("tie_word_embeddings", settings.tieWordEmbeddings())
                .set("attention_bias", attentionBias)
                .set("attention_dropout", settings.attentionDropout())
                .set("hidden_dropout", hiddenDropout)
                .set("use_parallel_residual", useParallelResidual)
                .set("initializer_range", settings.initializerRange());
        return rope.scaling() == null
                ? json
                : json.set("rope_scaling", rope.scaling().toJson());
    }
}
