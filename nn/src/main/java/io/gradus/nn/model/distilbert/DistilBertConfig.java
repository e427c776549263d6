package io.gradus.nn.model.distilbert;

import static io.gradus.nn.model.ConfigJson.require;
import static io.gradus.nn.model.ConfigJson.requirePositive;
import static io.gradus.nn.model.ConfigJson.requireTensor;
import static io.gradus.nn.model.ConfigKey.harmless;
import static io.gradus.nn.model.ConfigKey.honored;
import static io.gradus.nn.model.ConfigKey.optional;
import static io.gradus.nn.model.decoder.DecoderSettings.requireProbability;

import io.gradus.nn.Activation;
import io.gradus.nn.Initializer;
import io.gradus.nn.LayerNorm;
import io.gradus.nn.Linear;
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
import io.gradus.nn.model.encoder.EncoderKeys;
import io.gradus.nn.model.encoder.TensorNames;
import java.util.List;
import java.util.Optional;
import java.util.function.Predicate;
import java.util.function.UnaryOperator;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/**
 * The configuration of a DistilBERT. The components are the keys of {@code config.json} in Java's spelling.
 *
 * @param vocabSize number of tokens in the vocabulary
 * @param dim elements of a token's hidden state
 * @param hiddenDim elements between the feed-forward layers
 * @param nLayers number of layers
 * @param nHeads number of attention heads; divides {@code dim}
 * @param activation of the feed-forward layers
 * @param maxPositionEmbeddings context length in tokens
 * @param dropout dropout probability of the embeddings, of the feed-forward network, and before a classifier of tokens
 * @param attentionDropout dropout probability of the attention weights
 * @param seqClassifDropout dropout probability before a classifier of sequences
 * @param padTokenId row of the embedding table that gets no gradient from lookups, or null
 * @param tieWordEmbeddings whether the output layer of masked language modeling shares the embedding table
 * @param initializerRange standard deviation of new weights
 */
public record DistilBertConfig(
        int vocabSize,
        int dim,
        int hiddenDim,
        int nLayers,
        int nHeads,
        Activation activation,
        int maxPositionEmbeddings,
        double dropout,
        double attentionDropout,
        double seqClassifDropout,
        @Nullable Integer padTokenId,
        boolean tieWordEmbeddings,
        double initializerRange)
        implements ModelConfig {
    static final String NETWORK = "distilbert";
    private static final String PREFIX = NETWORK + ".";
    private static final String TABLE = "embeddings.word_embeddings.weight";

    /** Added to the variance in each norm. */
    private static final double EPS = 1e-12;

    private static final Pattern HEAD = Pattern.compile(
            "(vocab_transform|vocab_layer_norm|vocab_projector|pre_classifier|classifier|qa_outputs)\\..*");

    /** The table of the keys of {@code config.json}. */
    static final List<ConfigKey> KEYS = EncoderKeys.table(
            honored("vocab_size", "tokens in the vocabulary"),
            honored("dim", "elements of a hidden state"),
            honored("hidden_size", "the same as dim; comes first"),
            honored("hidden_dim", "elements between the feed-forward layers"),
            honored("n_layers", "layers"),
            honored("num_hidden_layers", "the same as n_layers; comes first"),
            honored("n_heads", "attention heads"),
            honored("num_attention_heads", "the same as n_heads; comes first"),
            honored("activation", "of layers and of the head for masked language modeling"),
            honored("max_position_embeddings", "context length, in tokens; 512 by default"),
            honored(
                    "dropout",
                    "share of the embeddings, of the feed-forward network's result, and before a classifier of tokens that"
                            + " is dropped in training; 0.1 by default"),
            honored(
                    "attention_dropout",
                    "share of the attention probabilities that is dropped in training; 0.1 by default"),
            honored("seq_classif_dropout", "share that is dropped before a classifier of sequences; 0.2 by default"),
            optional("pad_token_id", "row of the embedding table that is not trained through lookups; 0 by default"),
            honored("tie_word_embeddings", "whether the output layer shares the embedding table"),
            harmless("qa_dropout", "of the head for answers to questions"),
            harmless("sinusoidal_pos_embds", "of new weights"));

    public DistilBertConfig {
        requirePositive("vocab_size", vocabSize);
        requirePositive("dim", dim);
        requirePositive("hidden_dim", hiddenDim);
        requirePositive("n_layers", nLayers);
        requirePositive("max_position_embeddings", maxPositionEmbeddings);
        EncoderKeys.requireHeads("dim", dim, "n_heads", nHeads);
        requireTensor("vocab_size × dim", vocabSize, dim);
        requireTensor("max_position_embeddings × dim", maxPositionEmbeddings, dim);
        requireTensor("hidden_dim × dim", hiddenDim, dim);
        requireTensor("dim × dim", dim, dim);
        requireProbability("dropout", dropout);
        requireProbability("attention_dropout", attentionDropout);
        requireProbability("seq_classif_dropout", seqClassifDropout);
        require(initializerRange >= 0 && Double.isFinite(initializerRange), "initializer_range is " + initializerRange);
    }

    /**
     * Reads the {@code config.json} of a DistilBERT.
     *
     * @throws IllegalArgumentException if a key is missing, malformed or not supported
     */
    public static DistilBertConfig read(ConfigJson json) {
        ConfigKey.check(KEYS, json);
        return new DistilBertConfig(
                json.size("vocab_size"),
                size(json, "dim", "hidden_size"),
                json.size("hidden_dim"),
                size(json, "n_layers", "num_hidden_layers"),
                size(json, "n_heads", "num_attention_heads"),
                Activations.read(json, "activation", "gelu"),
                json.size("max_position_embeddings", 512),
                json.number("dropout", 0.1),
                json.number("attention_dropout", 0.1),
                json.number("seq_classif_dropout", 0.2),
                EncoderKeys.padding(json, 0),
                json.flag("tie_word_embeddings", true),
                json.number("initializer_range", 0.02));
    }

    /** A size under its own name, or under the one that other families use, which comes first. */
    private static int size(ConfigJson json, String key, String common) {
        return json.has(common) ? json.size(common) : json.size(key);
    }

    @Override
    public int hiddenSize() {
        return dim;
    }

    @Override
    public int numHiddenLayers() {
        return nLayers;
    }

    Initializer initializer() {
        return Initializer.normal(initializerRange);
    }

    /** A layer from hidden states. */
    Linear linear(WeightSource weights, int out) {
        return new Linear(weights, dim, out, true, initializer());
    }

    LayerNorm norm(WeightSource weights) {
        return new LayerNorm(weights, dim, EPS);
    }

    @Override
    public PretrainedModel build(WeightSource weights, Head head) {
        return new DistilBert(this, weights, head);
    }

    @Override
    public String architecture(Head head) {
        return "DistilBert" + (head instanceof Head.LanguageModeling ? "ForMaskedLM" : head.suffix());
    }

    @Override
    public List<ConfigSize> sizes() {
        return List.of(
                new Layers("n_layers", nLayers, PREFIX + "transformer.layer."),
                new Axis("vocab_size", vocabSize, PREFIX + TABLE, 0),
                new Axis("dim", dim, PREFIX + TABLE, 1),
                new Axis(
                        "max_position_embeddings",
                        maxPositionEmbeddings,
                        PREFIX + "embeddings.position_embeddings.weight",
                        0),
                new Axis("hidden_dim", hiddenDim, PREFIX + "transformer.layer.0.ffn.lin1.weight", 0));
    }

    @Override
    public UnaryOperator<String> tensorNames(Predicate<String> inCheckpoint) {
        return new TensorNames(PREFIX, TABLE, List.of("embeddings.", "transformer.")).in(inCheckpoint);
    }

    @Override
    public Optional<WordEmbeddings> wordEmbeddings() {
        return Optional.of(new WordEmbeddings(PREFIX + TABLE, "vocab_projector.weight", tieWordEmbeddings));
    }

    /** Older versions of transformers saved positions from 0 on with the weights. */
    @Override
    public boolean ignoresTensor(String name) {
        return name.endsWith("embeddings.position_ids");
    }

    @Override
    public boolean isOfOtherHead(String name, Head head) {
        return HEAD.matcher(name).matches();
    }

    @Override
    public ConfigJson toJson() {
        return new ConfigJson()
                .set("architectures", List.of(architecture(new Head.LanguageModeling())))
                .set("model_type", "distilbert")
                .set("vocab_size", vocabSize)
                .set("dim", dim)
                .set("hidden_dim", hiddenDim)
                .set("n_layers", nLayers)
                .set("n_heads", nHeads)
                .set("activation", Activations.name(activation))
                .set("max_position_embeddings", maxPositionEmbeddings)
                .set("dropout", dropout)
                .set("attention_dropout", attentionDropout)
                .set("seq_classif_dropout", seqClassifDropout)
                .set("pad_token_id", padTokenId) // null is written too: without the key transformers assumes 0
                .set("tie_word_embeddings", tieWordEmbeddings)
                .set("initializer_range", initializerRange);
    }
}
