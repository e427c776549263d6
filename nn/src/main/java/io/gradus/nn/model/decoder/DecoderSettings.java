package io.gradus.nn.model.decoder;

import static io.gradus.nn.model.ConfigJson.require;
import static io.gradus.nn.model.ConfigJson.requirePositive;
import static io.gradus.nn.model.ConfigJson.requireTensor;

import io.gradus.nn.Activation;
import io.gradus.nn.Embedding;
import io.gradus.nn.Initializer;
import io.gradus.nn.Linear;
import io.gradus.nn.RmsNorm;
import io.gradus.nn.WeightSource;
import io.gradus.nn.model.ConfigJson;
import org.jspecify.annotations.Nullable;

/**
 * The settings that all decoders with rotary positions have. The components are the keys of {@code config.json} in Java's spelling.
 *
 * @param vocabSize number of tokens in the vocabulary
 * @param hiddenSize elements of a token's hidden state
 * @param intermediateSize elements between the feed-forward layers
 * @param numHiddenLayers number of layers
 * @param numAttentionHeads number of query heads
 * @param numKeyValueHeads number of key-value heads; divides {@code numAttentionHeads}
 * @param headDim elements per head
 * @param hiddenAct activation of the feed-forward layers
 * @param maxPositionEmbeddings context length in tokens
 * @param normEps added to the mean square, or the variance, in each norm
 * @param rope rotary positions
 * @param tieWordEmbeddings whether the output layer shares the embedding table
 * @param attentionDropout probability with which an attention probability is dropped in training
 * @param slidingWindow the layers in which a token attends to the last tokens only
 * @param padTokenId row of the embedding table that gets no gradient from lookups, or null
 * @param initializerRange standard deviation of new weights
 */
public record DecoderSettings(
        int vocabSize,
        int hiddenSize,
        int intermediateSize,
        int numHiddenLayers,
        int numAttentionHeads,
        int numKeyValueHeads,
        int headDim,
        Activation hiddenAct,
        int maxPositionEmbeddings,
        double normEps,
        Rope rope,
        boolean tieWordEmbeddings,
        double attentionDropout,
        SlidingWindow slidingWindow,
        @Nullable Integer padTokenId,
        double initializerRange) {

    public DecoderSettings {
        requirePositive("vocab_size", vocabSize);
        requirePositive("hidden_size", hiddenSize);
        requirePositive("intermediate_size", intermediateSize);
        requirePositive("num_hidden_layers", numHiddenLayers);
        requirePositive("num_attention_heads", numAttentionHeads);
        requirePositive("num_key_value_heads", numKeyValueHeads);
        requirePositive("head_dim", headDim);
        requirePositive("max_position_embeddings", maxPositionEmbeddings);
        require(
                numAttentionHeads % numKeyValueHeads == 0,
                "num_attention_heads is " + numAttentionHeads + ", which is not a multiple of num_key_value_heads, "
                        + numKeyValueHeads);
        require(normEps >= 0 && normEps < 1, "rms_norm_eps is " + normEps);
        requireTensor("vocab_size × hidden_size", vocabSize, hiddenSize);
        requireTensor("intermediate_size × hidden_size", intermediateSize, hiddenSize);
        require(
                (long) numAttentionHeads * headDim <= Integer.MAX_VALUE,
                "num_attention_heads × head_dim is " + numAttentionHeads + " × " + headDim + ", more than 2^31");
        requireTensor("(num_attention_heads × head_dim) × hidden_size", (long) numAttentionHeads * headDim, hiddenSize);
        requireProbability("attention_dropout", attentionDropout);
        require(
                padTokenId == null || (padTokenId >= 0 && padTokenId < vocabSize),
                "pad_token_id is " + padTokenId + ", which is not below vocab_size, " + vocabSize);
        require(initializerRange >= 0 && Double.isFinite(initializerRange), "initializer_range is " + initializerRange);
    }

    /** @throws IllegalArgumentException if a value is not from 0 to 1 */
    public static void requireProbability(String key, double value) {
        require(value >= 0 && value <= 1, key + " is " + value + "; it must be from 0 to 1");
    }

    /** The initializer of weights. */
    public Initializer initializer() {
        return Initializer.normal(initializerRange);
    }

    /** The embedding table. */
    public Embedding embedding(WeightSource weights) {
        return new Embedding(weights, vocabSize, hiddenSize, initializer(), padTokenId);
    }

    /** A norm of hidden states. */
    public RmsNorm norm(WeightSource weights) {
        return new RmsNorm(weights, hiddenSize, normEps);
    }

    /** The output layer of a model that does not share the embedding table. */
    public Linear lmHead(WeightSource weights) {
        return new Linear(weights, hiddenSize, vocabSize, false, initializer());
    }

    /** The number of a dropout layer in a layer: 0 for attention, 1 and 2 for what is added. 0 in all is the embedding's. */
    public static int dropoutLayer(int layer, int place) {
        return 3 * layer + place + 1;
    }

    /**
     * The {@code head_dim}, which is {@code hidden_size / num_attention_heads} if it is missing.
     *
     * @throws IllegalArgumentException if it is missing and the quotient is not a whole number
     */
    public static int headDim(ConfigJson json) {
        int hidden = json.size("hidden_size");
        int heads = json.size("num_attention_heads");
        return json.size("head_dim", hidden / heads);
    }

    /**
     * The {@code pad_token_id}. A negative index counts from the end, as in PyTorch.
     *
     * @param missing the id if the key is missing; null stands for none
     */
    public static @Nullable Integer padding(ConfigJson json, @Nullable Integer missing) {
        int vocabulary = json.size("vocab_size");
        if (!json.mentions("pad_token_id")) {
            require(
                    missing == null || missing < vocabulary,
                    "pad_token_id is missing, which stands for " + missing + ", and vocab_size is " + vocabulary
                            + "; set it to null if no row of the embedding table is for padding");
            return missing;
        }
        if (!json.has("pad_token_id")) {
            return null;
        }
        int id = json.integer("pad_token_id");
        require(id >= -vocabulary, "pad_token_id is " + id + ", and vocab_size is " + vocabulary);
        return id < 0 ? id + vocabulary : id;
    }

    /** Sets the keys of these settings, except the activation, the {@code eps} of norms, rotary positions and windows. */
    public ConfigJson write(ConfigJson json) {
        return json.set("vocab_size", vocabSize)
                .set("hidden_size", hiddenSize)
                .set("intermediate_size", intermediateSize)
                .set("num_hidden_layers", numHiddenLayers)
                .set("num_attention_heads", numAttentionHeads)
                .set("num_key_value_heads", numKeyValueHeads)
                .set("head_dim", headDim)
                .set("max_position_embeddings", maxPositionEmbeddings)
                .set("tie_word_embeddings", tieWordEmbeddings)
                .set("attention_dropout", attentionDropout)
                .set("pad_token_id", padTokenId) // null is written too: without the key some classes assume another
                .set("initializer_range", initializerRange);
    }
}
