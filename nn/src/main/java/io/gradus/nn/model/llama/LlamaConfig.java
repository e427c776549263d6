package io.gradus.nn.model.llama;

import static io.gradus.nn.model.ConfigJson.require;
import static io.gradus.nn.model.ConfigJson.requirePositive;
import static io.gradus.nn.model.ConfigJson.requireTensor;

import io.gradus.nn.Activation;
import io.gradus.nn.WeightSource;
import io.gradus.nn.model.ConfigJson;
import io.gradus.nn.model.ConfigSize;
import io.gradus.nn.model.ConfigSize.Axis;
import io.gradus.nn.model.ConfigSize.Layers;
import io.gradus.nn.model.LanguageModel;
import io.gradus.nn.model.ModelConfig;
import io.gradus.nn.model.WordEmbeddings;
import java.util.List;
import java.util.Optional;
import java.util.function.Predicate;
import java.util.function.UnaryOperator;
import org.jspecify.annotations.Nullable;

/**
 * The configuration of a Llama, Mistral or Qwen2. The components are the keys of {@code config.json} in Java's spelling.
 *
 * @param type which of these it is
 * @param vocabSize number of tokens in the vocabulary
 * @param hiddenSize elements of a token's hidden state
 * @param intermediateSize elements between the feed-forward layers
 * @param numHiddenLayers number of layers
 * @param numAttentionHeads number of query heads
 * @param numKeyValueHeads number of key-value heads; divides {@code numAttentionHeads}
 * @param headDim elements per head, an even number; {@code hidden_size / num_attention_heads} by default
 * @param hiddenAct activation of the feed-forward layers
 * @param maxPositionEmbeddings context length in tokens
 * @param rmsNormEps added to the mean square in each norm
 * @param ropeTheta base of the rotary frequencies
 * @param ropeScaling scaling of the rotary frequencies, or null
 * @param tieWordEmbeddings whether the output layer shares the embedding table
 * @param attentionBias whether the attention projections of a Llama have biases; false for the other types
 * @param mlpBias whether the feed-forward layers of a Llama have biases; false for the other types
 * @param attentionDropout probability with which an attention probability is dropped in training
 * @param slidingWindow the layers in which a token attends to the last tokens only
 * @param padTokenId row of the embedding table that gets no gradient from lookups, or null
 * @param initializerRange standard deviation of new weights
 */
public record LlamaConfig(
        LlamaType type,
        int vocabSize,
        int hiddenSize,
        int intermediateSize,
        int numHiddenLayers,
        int numAttentionHeads,
        int numKeyValueHeads,
        int headDim,
        Activation hiddenAct,
        int maxPositionEmbeddings,
        double rmsNormEps,
        double ropeTheta,
        @Nullable RopeScaling ropeScaling,
        boolean tieWordEmbeddings,
        boolean attentionBias,
        boolean mlpBias,
        double attentionDropout,
        SlidingWindow slidingWindow,
        @Nullable Integer padTokenId,
        double initializerRange)
        implements ModelConfig {
    private static final String PREFIX = "model.";

    public LlamaConfig {
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
        require(headDim % 2 == 0, "head_dim is " + headDim + "; rotary positions need an even one");
        require(rmsNormEps >= 0 && rmsNormEps < 1, "rms_norm_eps is " + rmsNormEps);
        require(ropeTheta > 0 && Double.isFinite(ropeTheta), "rope_theta is " + ropeTheta);
        requireTensor("vocab_size × hidden_size", vocabSize, hiddenSize);
        requireTensor("intermediate_size × hidden_size", intermediateSize, hiddenSize);
        require(
                (long) numAttentionHeads * headDim <= Integer.MAX_VALUE,
                "num_attention_heads × head_dim is " + numAttentionHeads + " × " + headDim + ", more than 2^31");
        requireTensor("(num_attention_heads × head_dim) × hidden_size", (long) numAttentionHeads * headDim, hiddenSize);
        require(
                type == LlamaType.LLAMA || !(attentionBias || mlpBias),
                "attention_bias or mlp_bias is set, which only model_type llama has");
        require(
                attentionDropout >= 0 && attentionDropout <= 1,
                "attention_dropout is " + attentionDropout + "; it must be from 0 to 1");
        require(
                padTokenId == null || (padTokenId >= 0 && padTokenId < vocabSize),
                "pad_token_id is " + padTokenId + ", which is not below vocab_size, " + vocabSize);
        require(initializerRange >= 0 && Double.isFinite(initializerRange), "initializer_range is " + initializerRange);
    }

    /** A configuration for a new Llama: tied embeddings, no biases, rope_theta 10,000, rms_norm_eps 1e-5. */
    public static LlamaConfig of(
            int vocabSize,
            int hiddenSize,
            int intermediateSize,
            int layers,
            int heads,
            int keyValueHeads,
            int context) {
        require(
                heads > 0 && hiddenSize % heads == 0,
                "hidden_size is " + hiddenSize + ", which is not a multiple of num_attention_heads, " + heads);
        return new LlamaConfig(
                LlamaType.LLAMA,
                vocabSize,
                hiddenSize,
                intermediateSize,
                layers,
                heads,
                keyValueHeads,
                hiddenSize / heads,
                Activation.SILU,
                context,
                1e-5,
                10_000,
                null,
                true,
                false,
                false,
                0,
                SlidingWindow.NONE,
                null,
                0.02);
    }

    /**
     * Reads the {@code config.json} of a Llama, a Mistral or a Qwen2. {@link LlamaType#keys} lists the keys.
     *
     * @throws IllegalArgumentException if a key is missing, malformed or not supported
     */
    public static LlamaConfig read(ConfigJson json) {
        return LlamaJson.read(json);
    }

    /** The contents of {@code config.json}, in the spelling that every version of transformers reads. */
    @Override
    public ConfigJson toJson() {
        return LlamaJson.write(this);
    }

    /** Whether {@code q_proj}, {@code k_proj} and {@code v_proj} have a bias. */
    boolean hasInputBias() {
        return attentionBias || type == LlamaType.QWEN2;
    }

    @Override
    public List<ConfigSize> sizes() {
        String table = "model.embed_tokens.weight";
        String layer = "model.layers.0.";
        return List.of(
                new Layers("num_hidden_layers", numHiddenLayers, "model.layers."),
                new Axis("vocab_size", vocabSize, table, 0),
                new Axis("hidden_size", hiddenSize, table, 1),
                new Axis("intermediate_size", intermediateSize, layer + "mlp.gate_proj.weight", 0),
                heads("num_attention_heads", numAttentionHeads, layer + "self_attn.q_proj.weight"),
                heads("num_key_value_heads", numKeyValueHeads, layer + "self_attn.k_proj.weight"));
    }

    private ConfigSize heads(String key, int heads, String parameter) {
        return new Axis(key + " × head_dim, " + heads + " × " + headDim + ",", (long) heads * headDim, parameter, 0);
    }

    @Override
    public LanguageModel build(WeightSource weights) {
        return new Llama(this, weights);
    }

    @Override
    public Optional<WordEmbeddings> wordEmbeddings() {
        return Optional.of(new WordEmbeddings("model.embed_tokens.weight", "lm_head.weight", tieWordEmbeddings));
    }

    /** Some checkpoints hold the network without its output layer; their names lack the prefix {@code model.}. */
    @Override
    public UnaryOperator<String> tensorNames(Predicate<String> inCheckpoint) {
        return inCheckpoint.test("embed_tokens.weight")
                ? name -> name.startsWith(PREFIX) ? name.substring(PREFIX.length()) : name
                : UnaryOperator.identity();
    }

    /** Old checkpoints hold the rotary frequencies, and some with tied embeddings hold the embedding table twice. */
    @Override
    public boolean ignoresTensor(String name) {
        return name.endsWith("rotary_emb.inv_freq") || (name.equals("lm_head.weight") && tieWordEmbeddings);
    }
}
