package io.gradus.nn.model.bert;

import static io.gradus.nn.model.ConfigJson.require;
import static io.gradus.nn.model.ConfigJson.requirePositive;
import static io.gradus.nn.model.ConfigJson.requireTensor;
import static io.gradus.nn.model.ConfigKey.honored;
import static io.gradus.nn.model.ConfigKey.optional;
import static io.gradus.nn.model.ConfigKey.rejected;
import static io.gradus.nn.model.decoder.DecoderSettings.requireProbability;

import io.gradus.nn.Activation;
import io.gradus.nn.Dropout;
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
import io.gradus.nn.model.decoder.DecoderSettings;
import io.gradus.nn.model.encoder.EncoderKeys;
import io.gradus.nn.model.encoder.TensorNames;
import java.util.List;
import java.util.Objects;
import java.util.Optional;
import java.util.function.Predicate;
import java.util.function.UnaryOperator;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/**
 * The configuration of a BERT or a RoBERTa. The components are the keys of {@code config.json} in Java's spelling.
 *
 * @param type which of the networks it is
 * @param vocabSize number of tokens in the vocabulary
 * @param hiddenSize elements of a token's hidden state
 * @param intermediateSize elements between the feed-forward layers
 * @param numHiddenLayers number of layers
 * @param numAttentionHeads number of attention heads; divides {@code hiddenSize}
 * @param hiddenAct activation of the feed-forward layers
 * @param positions rows of the table of positions: {@code max_position_embeddings}
 * @param typeVocabSize number of token types
 * @param layerNormEps added to the variance in each norm
 * @param hiddenDropoutProb dropout probability of the embeddings and of what a layer adds
 * @param attentionProbsDropoutProb dropout probability of the attention weights
 * @param classifierDropout dropout probability before a classifier; null stands for {@code hiddenDropoutProb}
 * @param padTokenId row of the embedding table that gets no gradient from lookups, or null
 * @param tieWordEmbeddings whether the output layer of masked language modeling shares the embedding table
 * @param initializerRange standard deviation of new weights
 */
public record BertConfig(
        BertType type,
        int vocabSize,
        int hiddenSize,
        int intermediateSize,
        int numHiddenLayers,
        int numAttentionHeads,
        Activation hiddenAct,
        int positions,
        int typeVocabSize,
        double layerNormEps,
        double hiddenDropoutProb,
        double attentionProbsDropoutProb,
        @Nullable Double classifierDropout,
        @Nullable Integer padTokenId,
        boolean tieWordEmbeddings,
        double initializerRange)
        implements ModelConfig {
    private static final String TABLE = "embeddings.word_embeddings.weight";

    /** Positions from 0 on, which older versions of transformers saved with the weights. */
    private static final Pattern BUFFER =
            Pattern.compile("((ro)?bert[a]?\\.)?embeddings\\.(position_ids|token_type_ids)");

    private static final Pattern HEAD =
            Pattern.compile("(cls|lm_head|classifier|qa_outputs|((ro)?bert[a]?\\.)?pooler)\\..*");

    public BertConfig {
        requirePositive("vocab_size", vocabSize);
        requirePositive("hidden_size", hiddenSize);
        requirePositive("intermediate_size", intermediateSize);
        requirePositive("num_hidden_layers", numHiddenLayers);
        requirePositive("type_vocab_size", typeVocabSize);
        EncoderKeys.requireHeads("hidden_size", hiddenSize, "num_attention_heads", numAttentionHeads);
        requireTensor("vocab_size × hidden_size", vocabSize, hiddenSize);
        requireTensor("max_position_embeddings × hidden_size", positions, hiddenSize);
        requireTensor("type_vocab_size × hidden_size", typeVocabSize, hiddenSize);
        requireTensor("intermediate_size × hidden_size", intermediateSize, hiddenSize);
        requireTensor("hidden_size × hidden_size", hiddenSize, hiddenSize);
        requireProbability("hidden_dropout_prob", hiddenDropoutProb);
        requireProbability("attention_probs_dropout_prob", attentionProbsDropoutProb);
        requireProbability("classifier_dropout", classifierDropout == null ? 0 : classifierDropout);
        require(layerNormEps >= 0 && layerNormEps < 1, "layer_norm_eps is " + layerNormEps);
        require(initializerRange >= 0 && Double.isFinite(initializerRange), "initializer_range is " + initializerRange);
        require(
                type == BertType.BERT || padTokenId != null,
                "pad_token_id is null, but the positions of a RoBERTa begin after that of padding");
        int first = type == BertType.BERT ? 0 : Objects.requireNonNull(padTokenId) + 1;
        require(
                positions > first,
                "max_position_embeddings is " + positions + "; it must be at least " + (first + 1)
                        + (first == 0 ? "" : ", since positions begin after pad_token_id"));
    }

    /** The table of the keys of {@code config.json}. */
    static List<ConfigKey> keys(BertType type) {
        boolean bert = type == BertType.BERT;
        return EncoderKeys.table(
                honored("vocab_size", "tokens in the vocabulary"),
                honored("hidden_size", "elements of a hidden state"),
                honored("intermediate_size", "elements between the feed-forward layers"),
                honored("num_hidden_layers", "layers"),
                honored("num_attention_heads", "attention heads"),
                honored(
                        "hidden_act",
                        bert
                                ? "activation of layers and of the head for masked language modeling"
                                : "activation of layers; the head for masked language modeling has gelu"),
                honored(
                        "max_position_embeddings",
                        bert
                                ? "context length, in tokens; 512 by default"
                                : "context length, in tokens, and pad_token_id + 1; 512 by default"),
                honored("type_vocab_size", "token types; 2 by default"),
                honored("layer_norm_eps", "added to the variance in each norm"),
                honored(
                        "hidden_dropout_prob",
                        "share of the embeddings and of what a layer adds that is dropped in training; 0.1 by default"),
                honored(
                        "attention_probs_dropout_prob",
                        "share of the attention probabilities that is dropped in training; 0.1 by default"),
                optional(
                        "classifier_dropout",
                        "share that is dropped before a classifier; hidden_dropout_prob by default"),
                bert
                        ? optional(
                                "pad_token_id",
                                "row of the embedding table that is not trained through lookups; 0 by default")
                        : honored(
                                "pad_token_id",
                                "row of the embedding table that is not trained through lookups; positions begin after it;"
                                        + " 1 by default"),
                honored("tie_word_embeddings", "whether the output layer shares the embedding table"),
                rejected("add_cross_attention", false, "attention to another text is not supported"));
    }

    /**
     * Reads the {@code config.json} of a BERT or a RoBERTa.
     *
     * @throws IllegalArgumentException if a key is missing, malformed or not supported
     */
    public static BertConfig read(ConfigJson json) {
        BertType type = BertType.of(json.text("model_type", ""));
        ConfigKey.check(keys(type), json);
        return new BertConfig(
                type,
                json.size("vocab_size"),
                json.size("hidden_size"),
                json.size("intermediate_size"),
                json.size("num_hidden_layers"),
                json.size("num_attention_heads"),
                Activations.read(json, "hidden_act", "gelu"),
                json.size("max_position_embeddings", 512),
                json.size("type_vocab_size", 2),
                json.number("layer_norm_eps", 1e-12),
                json.number("hidden_dropout_prob", 0.1),
                json.number("attention_probs_dropout_prob", 0.1),
                json.has("classifier_dropout") ? (Double) json.number("classifier_dropout") : null,
                EncoderKeys.padding(json, type.padding()),
                json.flag("tie_word_embeddings", true),
                json.number("initializer_range", 0.02));
    }

    /** The row of the table of positions for the first token: in a RoBERTa the one after that of padding. */
    int firstPosition() {
        return type == BertType.BERT ? 0 : Objects.requireNonNull(padTokenId) + 1;
    }

    /** The context length: positions from the first one on. */
    @Override
    public int maxPositionEmbeddings() {
        return positions - firstPosition();
    }

    int headDim() {
        return hiddenSize / numAttentionHeads;
    }

    Initializer initializer() {
        return Initializer.normal(initializerRange);
    }

    /** A layer from hidden states to hidden states. */
    Linear dense(WeightSource weights) {
        return linear(weights, hiddenSize);
    }

    /** A layer from hidden states. */
    Linear linear(WeightSource weights, int out) {
        return new Linear(weights, hiddenSize, out, true, initializer());
    }

    LayerNorm norm(WeightSource weights) {
        return new LayerNorm(weights, hiddenSize, layerNormEps);
    }

    /** A dropout layer before a classifier. A head may have two, which are numbered from 0. */
    Dropout headDropout(int number) {
        double p = classifierDropout == null ? hiddenDropoutProb : classifierDropout;
        return new Dropout(p, 0, DecoderSettings.dropoutLayer(numHiddenLayers, number));
    }

    @Override
    public PretrainedModel build(WeightSource weights, Head head) {
        return type == BertType.BERT ? new Bert(this, weights, head) : new Roberta(this, weights, head);
    }

    @Override
    public String architecture(Head head) {
        return type.architecture(head);
    }

    @Override
    public List<ConfigSize> sizes() {
        String network = type.network() + ".";
        return List.of(
                new Layers("num_hidden_layers", numHiddenLayers, network + "encoder.layer."),
                new Axis("vocab_size", vocabSize, network + TABLE, 0),
                new Axis("hidden_size", hiddenSize, network + TABLE, 1),
                new Axis("max_position_embeddings", positions, network + "embeddings.position_embeddings.weight", 0),
                new Axis("type_vocab_size", typeVocabSize, network + "embeddings.token_type_embeddings.weight", 0),
                new Axis(
                        "intermediate_size",
                        intermediateSize,
                        network + "encoder.layer.0.intermediate.dense.weight",
                        0));
    }

    /**
     * Old checkpoints call the weight and the bias of a norm {@code gamma} and {@code beta}. The bias of an output layer has two
     * names, of which a checkpoint may have one.
     */
    @Override
    public UnaryOperator<String> tensorNames(Predicate<String> inCheckpoint) {
        UnaryOperator<String> names = new TensorNames(
                        type.network() + ".", TABLE, List.of("embeddings.", "encoder.", "pooler."))
                .in(inCheckpoint);
        boolean old = inCheckpoint.test(names.apply(type.network() + "." + "embeddings.LayerNorm.gamma"));
        String decoder = type.decoder() + ".bias";
        return name -> {
            if (name.equals(decoder) || name.equals(type.decoderBias())) {
                String other = name.equals(decoder) ? type.decoderBias() : decoder;
                return !inCheckpoint.test(name) && inCheckpoint.test(other) ? other : name;
            }
            String full = names.apply(name);
            return old
                    ? full.replace("LayerNorm.weight", "LayerNorm.gamma").replace("LayerNorm.bias", "LayerNorm.beta")
                    : full;
        };
    }

    @Override
    public Optional<WordEmbeddings> wordEmbeddings() {
        return Optional.of(
                new WordEmbeddings(type.network() + "." + TABLE, type.decoder() + ".weight", tieWordEmbeddings));
    }

    @Override
    public boolean ignoresTensor(String name) {
        return BUFFER.matcher(name).matches();
    }

    @Override
    public boolean isOfOtherHead(String name, Head head) {
        return HEAD.matcher(name).matches();
    }

    @Override
    public ConfigJson toJson() {
        return new ConfigJson()
                .set("architectures", List.of(architecture(new Head.LanguageModeling())))
                .set("model_type", type.modelType())
                .set("vocab_size", vocabSize)
                .set("hidden_size", hiddenSize)
                .set("intermediate_size", intermediateSize)
                .set("num_hidden_layers", numHiddenLayers)
                .set("num_attention_heads", numAttentionHeads)
                .set("hidden_act", Activations.name(hiddenAct))
                .set("max_position_embeddings", positions)
                .set("type_vocab_size", typeVocabSize)
                .set("layer_norm_eps", layerNormEps)
                .set("hidden_dropout_prob", hiddenDropoutProb)
                .set("attention_probs_dropout_prob", attentionProbsDropoutProb)
                .set("classifier_dropout", classifierDropout)
                .set("pad_token_id", padTokenId) // null is written too: without the key transformers assumes another
                .set("tie_word_embeddings", tieWordEmbeddings)
                .set("initializer_range", initializerRange);
    }
}
