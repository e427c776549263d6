package io.gradus.nn.model.modernbert;

import static io.gradus.nn.model.ConfigJson.require;
import static io.gradus.nn.model.ConfigJson.requirePositive;
import static io.gradus.nn.model.ConfigJson.requireTensor;
import static io.gradus.nn.model.ConfigKey.harmless;
import static io.gradus.nn.model.ConfigKey.honored;
import static io.gradus.nn.model.ConfigKey.optional;
import static io.gradus.nn.model.ConfigKey.rejected;
import static io.gradus.nn.model.decoder.DecoderSettings.requireProbability;

import io.gradus.nn.Activation;
import io.gradus.nn.Initializer;
import io.gradus.nn.LayerNorm;
import io.gradus.nn.WeightSource;
import io.gradus.nn.model.Activations;
import io.gradus.nn.model.ConfigJson;
import io.gradus.nn.model.ConfigKey;
import io.gradus.nn.model.ConfigSize;
import io.gradus.nn.model.ConfigSize.Axis;
import io.gradus.nn.model.ConfigSize.Layers;
import io.gradus.nn.model.Head;
import io.gradus.nn.model.ModelConfig;
import io.gradus.nn.model.PretrainedModel;
import io.gradus.nn.model.WordEmbeddings;
import io.gradus.nn.model.decoder.Rope;
import io.gradus.nn.model.decoder.SlidingWindow;
import io.gradus.nn.model.encoder.EncoderKeys;
import io.gradus.nn.model.encoder.TensorNames;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.function.Predicate;
import java.util.function.UnaryOperator;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/**
 * The configuration of a ModernBERT. The components are the keys of {@code config.json} in Java's spelling.
 *
 * @param vocabSize number of tokens in the vocabulary
 * @param hiddenSize elements of a token's hidden state
 * @param intermediateSize elements between the feed-forward layers
 * @param numHiddenLayers number of layers
 * @param numAttentionHeads number of attention heads; divides {@code hiddenSize}
 * @param hiddenActivation activation of the feed-forward layers
 * @param maxPositionEmbeddings context length in tokens
 * @param normEps added to the variance in each norm
 * @param normBias whether norms have biases
 * @param attentionBias whether the attention projections have biases
 * @param mlpBias whether the feed-forward layers have biases
 * @param decoderBias whether the output layer of masked language modeling has a bias
 * @param localAttention tokens that a token of a local layer attends to: half of them, rounded down, on each side, and itself
 * @param window the local layers
 * @param globalRope rotary positions of global layers
 * @param localRope rotary positions of local layers
 * @param embeddingDropout dropout probability of the embeddings
 * @param attentionDropout dropout probability of the attention weights, and of what attention adds
 * @param mlpDropout dropout probability between the feed-forward layers
 * @param classifier settings of the heads
 * @param padTokenId row of the embedding table that gets no gradient from lookups, or null
 * @param tieWordEmbeddings whether the output layer of masked language modeling shares the embedding table
 * @param initializerRange standard deviation of new weights
 */
public record ModernBertConfig(
        int vocabSize,
        int hiddenSize,
        int intermediateSize,
        int numHiddenLayers,
        int numAttentionHeads,
        Activation hiddenActivation,
        int maxPositionEmbeddings,
        double normEps,
        boolean normBias,
        boolean attentionBias,
        boolean mlpBias,
        boolean decoderBias,
        int localAttention,
        SlidingWindow window,
        Rope globalRope,
        Rope localRope,
        double embeddingDropout,
        double attentionDropout,
        double mlpDropout,
        Classifier classifier,
        @Nullable Integer padTokenId,
        boolean tieWordEmbeddings,
        double initializerRange)
        implements ModelConfig {
    static final String NETWORK = "model";
    private static final String PREFIX = NETWORK + ".";
    private static final String TABLE = "embeddings.tok_embeddings.weight";
    private static final Pattern HEAD = Pattern.compile("(head|decoder|classifier)\\..*");

    /** How a classifier of sequences reads the hidden states. */
    public enum Pooling {
        /** The first token. */
        CLS,
        /** The mean over all tokens that are not padding. */
        MEAN;

        private static Pooling read(ConfigJson json) {
            String name = json.text("classifier_pooling", "cls");
            return switch (name) {
                case "cls" -> CLS;
                case "mean" -> MEAN;
                default -> {
                    require(false, "classifier_pooling is '" + name + "'; it must be cls or mean");
                    yield CLS;
                }
            };
        }
    }

    /**
     * Settings of the heads: {@code classifier_} keys.
     *
     * @param pooling of a classifier of sequences
     * @param dropout dropout probability before a classifier
     * @param bias whether the dense layer of all heads has a bias
     * @param activation after the dense layer of all heads
     */
    public record Classifier(Pooling pooling, double dropout, boolean bias, Activation activation) {}

    /** The table of the keys of {@code config.json}. */
    static final List<ConfigKey> KEYS = EncoderKeys.table(
            honored("vocab_size", "tokens in the vocabulary"),
            honored("hidden_size", "elements of a hidden state"),
            honored("intermediate_size", "elements between the feed-forward layers"),
            honored("num_hidden_layers", "layers"),
            honored("num_attention_heads", "attention heads"),
            honored("hidden_activation", "activation of the feed-forward layers"),
            honored("max_position_embeddings", "context length, in tokens; 8,192 by default"),
            honored("norm_eps", "added to the variance in each norm; 0.00001 by default"),
            honored("norm_bias", "whether norms have biases"),
            honored("attention_bias", "whether the attention projections have biases"),
            honored("mlp_bias", "whether the feed-forward layers have biases"),
            honored("decoder_bias", "whether the output layer has a bias; true by default"),
            honored(
                    "local_attention",
                    "tokens that a token of a local layer attends to, half of them, rounded down, on each side; 128 by default"),
            optional("layer_types", "sliding_attention for local layers, full_attention for global ones"),
            honored(
                    "global_attn_every_n_layers",
                    "without layer_types, each so many layers one is global; 3 by default"),
            optional("rope_parameters", "rotary positions, in the spelling of transformers 5"),
            honored("rope_parameters.full_attention", "of global layers; rope_type must be default"),
            honored("rope_parameters.sliding_attention", "of local layers; rope_type must be default"),
            honored("global_rope_theta", "base of the rotary frequencies of global layers; 160,000 by default"),
            honored("local_rope_theta", "base of those of local layers; 10,000 by default"),
            honored("embedding_dropout", "share of the embeddings that is dropped in training"),
            honored(
                    "attention_dropout",
                    "share of the attention probabilities, and of what attention adds, that is dropped in training"),
            honored("mlp_dropout", "share of what is between the feed-forward layers that is dropped in training"),
            honored("classifier_pooling", "cls or mean: what a classifier of sequences reads"),
            honored("classifier_dropout", "share that is dropped before a classifier"),
            honored("classifier_bias", "whether the dense layer of a head has a bias"),
            honored("classifier_activation", "activation after the dense layer of a head"),
            optional(
                    "pad_token_id",
                    "row of the embedding table that is not trained through lookups; 50,283 by default"),
            honored("tie_word_embeddings", "whether the output layer shares the embedding table"),
            rejected("head_dim", null, "heads have hidden_size / num_attention_heads elements"),
            rejected("rope_scaling", null, "scaled rotary positions are not supported"),
            harmless("cls_token_id", "of the tokenizer"),
            harmless("deterministic_flash_attn", "results are always the same"),
            harmless("initializer_cutoff_factor", "of new weights"),
            harmless("layer_norm_eps", "ModernBERT has norm_eps"),
            harmless("reference_compile", "of how a program computes the same results"),
            harmless("repad_logits_with_grad", "of how a program computes the same results"),
            harmless("sparse_pred_ignore_index", "of how a program computes the same results"),
            harmless("sparse_prediction", "of how a program computes the same results"));

    public ModernBertConfig {
        requirePositive("vocab_size", vocabSize);
        requirePositive("hidden_size", hiddenSize);
        requirePositive("intermediate_size", intermediateSize);
        requirePositive("num_hidden_layers", numHiddenLayers);
        requirePositive("max_position_embeddings", maxPositionEmbeddings);
        requirePositive("local_attention", localAttention);
        EncoderKeys.requireHeads("hidden_size", hiddenSize, "num_attention_heads", numAttentionHeads);
        requireTensor("vocab_size × hidden_size", vocabSize, hiddenSize);
        requireTensor("2·intermediate_size × hidden_size", 2L * intermediateSize, hiddenSize);
        requireTensor("3·hidden_size × hidden_size", 3L * hiddenSize, hiddenSize);
        requireProbability("embedding_dropout", embeddingDropout);
        requireProbability("attention_dropout", attentionDropout);
        requireProbability("mlp_dropout", mlpDropout);
        requireProbability("classifier_dropout", classifier.dropout);
        require(normEps >= 0 && normEps < 1, "norm_eps is " + normEps);
        require(initializerRange >= 0 && Double.isFinite(initializerRange), "initializer_range is " + initializerRange);
    }

    /**
     * Reads the {@code config.json} of a ModernBERT.
     *
     * @throws IllegalArgumentException if a key is missing, malformed or not supported
     */
    public static ModernBertConfig read(ConfigJson json) {
        ConfigKey.check(KEYS, json);
        int hidden = json.size("hidden_size");
        int heads = json.size("num_attention_heads");
        int context = json.size("max_position_embeddings", 8192);
        int local = json.size("local_attention", 128);
        EncoderKeys.requireHeads("hidden_size", hidden, "num_attention_heads", heads);
        Classifier classifier = new Classifier(
                Pooling.read(json),
                json.number("classifier_dropout", 0),
                json.flag("classifier_bias", false),
                Activations.read(json, "classifier_activation", "gelu"));
        return new ModernBertConfig(
                json.size("vocab_size"),
                hidden,
                json.size("intermediate_size"),
                json.size("num_hidden_layers"),
                heads,
                Activations.read(json, "hidden_activation", "gelu"),
                context,
                json.number("norm_eps", 1e-5),
                json.flag("norm_bias", false),
                json.flag("attention_bias", false),
                json.flag("mlp_bias", false),
                json.flag("decoder_bias", true),
                local,
                window(json, local / 2 + 1),
                rope(json, "full_attention", hidden / heads, context, json.number("global_rope_theta", 160_000)),
                rope(json, "sliding_attention", hidden / heads, context, json.number("local_rope_theta", 10_000)),
                json.number("embedding_dropout", 0),
                json.number("attention_dropout", 0),
                json.number("mlp_dropout", 0),
                classifier,
                EncoderKeys.padding(json, 50_283),
                json.flag("tie_word_embeddings", true),
                json.number("initializer_range", 0.02));
    }

    private static SlidingWindow window(ConfigJson json, int size) {
        int layers = json.size("num_hidden_layers");
        int every = json.integer("global_attn_every_n_layers", 3);
        if (json.has("layer_types")) {
            return SlidingWindow.of(size, json.texts("layer_types"), layers);
        }
        require(every != 0, "global_attn_every_n_layers is 0");
        return SlidingWindow.where(layer -> layer % every != 0, size, layers);
    }

    private static Rope rope(ConfigJson json, String layers, int headDim, int context, double missingTheta) {
        ConfigJson rope = json.object("rope_parameters").object(layers);
        String type = rope.text("rope_type", rope.text("type", "default"));
        require(
                type.equals("default"),
                "rope_parameters." + layers + ".rope_type is '" + type + "'; supported is default");
        return Rope.ofLayers(json, rope, headDim, context, missingTheta);
    }

    /** The number of elements of a head. */
    int headDim() {
        return hiddenSize / numAttentionHeads;
    }

    /** Of layers that read hidden states. */
    Initializer initializer() {
        return Initializer.normal(initializerRange);
    }

    /** Of layers whose result is added to hidden states, which a sum of 2·num_hidden_layers should not make larger. */
    Initializer residualInitializer() {
        return Initializer.normal(initializerRange / Math.sqrt(2.0 * numHiddenLayers));
    }

    LayerNorm norm(WeightSource weights) {
        return new LayerNorm(weights, hiddenSize, normEps, normBias);
    }

    @Override
    public PretrainedModel build(WeightSource weights, Head head) {
        return new ModernBert(this, weights, head);
    }

    @Override
    public String architecture(Head head) {
        return "ModernBert" + (head instanceof Head.LanguageModeling ? "ForMaskedLM" : head.suffix());
    }

    @Override
    public List<ConfigSize> sizes() {
        return List.of(
                new Layers("num_hidden_layers", numHiddenLayers, PREFIX + "layers."),
                new Axis("vocab_size", vocabSize, PREFIX + TABLE, 0),
                new Axis("hidden_size", hiddenSize, PREFIX + TABLE, 1),
                new Axis("intermediate_size", intermediateSize, PREFIX + "layers.0.mlp.Wo.weight", 1));
    }

    @Override
    public UnaryOperator<String> tensorNames(Predicate<String> inCheckpoint) {
        return new TensorNames(PREFIX, TABLE, List.of("embeddings.", "layers.", "final_norm.")).in(inCheckpoint);
    }

    @Override
    public Optional<WordEmbeddings> wordEmbeddings() {
        return Optional.of(new WordEmbeddings(PREFIX + TABLE, "decoder.weight", tieWordEmbeddings));
    }

    @Override
    public boolean isOfOtherHead(String name, Head head) {
        return HEAD.matcher(name).matches();
    }

    @Override
    public ConfigJson toJson() {
        return new ConfigJson()
                .set("architectures", List.of(architecture(new Head.LanguageModeling())))
                .set("model_type", "modernbert")
                .set("vocab_size", vocabSize)
                .set("hidden_size", hiddenSize)
                .set("intermediate_size", intermediateSize)
                .set("num_hidden_layers", numHiddenLayers)
                .set("num_attention_heads", numAttentionHeads)
                .set("hidden_activation", Activations.name(hiddenActivation))
                .set("max_position_embeddings", maxPositionEmbeddings)
                .set("norm_eps", normEps)
                .set("norm_bias", normBias)
                .set("attention_bias", attentionBias)
                .set("mlp_bias", mlpBias)
                .set("decoder_bias", decoderBias)
                .set("local_attention", localAttention)
                .set("layer_types", window.layerTypes(numHiddenLayers))
                .set(
                        "rope_parameters",
                        new ConfigJson()
                                .set("full_attention", globalRope.toJson())
                                .set("sliding_attention", localRope.toJson()))
                .set("embedding_dropout", embeddingDropout)
                .set("attention_dropout", attentionDropout)
                .set("mlp_dropout", mlpDropout)
                .set("classifier_pooling", classifier.pooling.name().toLowerCase(Locale.ROOT))
                .set("classifier_dropout", classifier.dropout)
                .set("classifier_bias", classifier.bias)
                .set("classifier_activation", Activations.name(classifier.activation))
                .set("pad_token_id", padTokenId) // null is written too: without the key transformers assumes 50283
                .set("tie_word_embeddings", tieWordEmbeddings)
                .set("initializer_range", initializerRange);
    }
}
