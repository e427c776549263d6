package io.gradus.nn.model.llama;

import static io.gradus.nn.model.ConfigJson.require;
import static io.gradus.nn.model.ConfigJson.requirePositive;
import static io.gradus.nn.model.ConfigJson.requireTensor;

import io.gradus.nn.WeightSource;
import io.gradus.nn.model.ConfigJson;
import io.gradus.nn.model.ConfigSize;
import io.gradus.nn.model.ConfigSize.Axis;
import io.gradus.nn.model.ConfigSize.Layers;
import io.gradus.nn.model.LanguageModel;
import io.gradus.nn.model.ModelConfig;
import io.gradus.nn.model.WordEmbeddings;
import io.gradus.nn.model.llama.RotaryTable.Llama3Scaling;
import java.util.List;
import java.util.Optional;
import java.util.function.Predicate;
import java.util.function.UnaryOperator;
import org.jspecify.annotations.Nullable;

/**
 * The configuration of a Llama. The components are the keys of {@code config.json} in Java's spelling.
 *
 * @param vocabSize number of tokens in the vocabulary
 * @param hiddenSize elements of a token's hidden state
 * @param intermediateSize elements between the feed-forward layers
 * @param numHiddenLayers number of layers
 * @param numAttentionHeads number of query heads
 * @param numKeyValueHeads number of key-value heads; divides {@code numAttentionHeads}
 * @param headDim elements per head, an even number; {@code hidden_size / num_attention_heads} by default
 * @param maxPositionEmbeddings context length in tokens
 * @param rmsNormEps added to the mean square in each norm
 * @param ropeTheta base of the rotary frequencies
 * @param ropeScaling scaling of the rotary frequencies, or null
 * @param tieWordEmbeddings whether the output layer shares the embedding table
 * @param attentionBias whether {@code q_proj}, {@code k_proj} and {@code v_proj} have a bias
 * @param outputBias whether {@code o_proj} has a bias: as the others in a Llama, never in a Qwen2
 * @param mlpBias whether the feed-forward layers have a bias
 * @param initializerRange standard deviation of new weights
 */
public record LlamaConfig(
        int vocabSize,
        int hiddenSize,
        int intermediateSize,
        int numHiddenLayers,
        int numAttentionHeads,
        int numKeyValueHeads,
        int headDim,
        int maxPositionEmbeddings,
        double rmsNormEps,
        double ropeTheta,
        @Nullable Llama3Scaling ropeScaling,
        boolean tieWordEmbeddings,
        boolean attentionBias,
        boolean outputBias,
        boolean mlpBias,
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
        require(ropeTheta > 1 && Double.isFinite(ropeTheta), "rope_theta is " + ropeTheta);
        requireTensor("vocab_size × hidden_size", vocabSize, hiddenSize);
        requireTensor("intermediate_size × hidden_size", intermediateSize, hiddenSize);
        require(
                (long) numAttentionHeads * headDim <= Integer.MAX_VALUE,
                "num_attention_heads × head_dim is " + numAttentionHeads + " × " + headDim + ", more than 2^31");
        requireTensor("(num_attention_heads × head_dim) × hidden_size", (long) numAttentionHeads * headDim, hiddenSize);
        require(
                attentionBias || !outputBias,
                "o_proj has a bias and q_proj has none; no model_type describes such a network");
        require(!mlpBias || attentionBias == outputBias, "mlp_bias is set, which model_type qwen2 does not have");
        require(initializerRange >= 0 && Double.isFinite(initializerRange), "initializer_range is " + initializerRange);
    }

    /** A configuration for a new model: tied embeddings, no biases, rope_theta 10,000, rms_norm_eps 1e-5. */
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
                vocabSize,
                hiddenSize,
                intermediateSize,
                layers,
                heads,
                keyValueHeads,
                hiddenSize / heads,
                context,
                1e-5,
                10_000,
                null,
                true,
                false,
                false,
                false,
                0.02);
    }

    /**
     * Reads the {@code config.json} of a Llama, a Mistral without sliding-window attention, or a Qwen2.
     *
     * @throws IllegalArgumentException if a key is missing, malformed or not supported
     */
    public static LlamaConfig read(ConfigJson json) {
        boolean qwen2 = json.text("model_type", "").equals("qwen2");
        require(
                !json.has("sliding_window") || !json.flag("use_sliding_window", !qwen2),
                "sliding_window is set; sliding-window attention is not supported");
        require(
                json.texts("layer_types").stream().allMatch("full_attention"::equals),
                "layer_types is " + json.texts("layer_types") + "; only full_attention is supported");
        json.ignore("max_window_layers", "pretraining_tp"); // of sliding windows, and of how the weights were computed
        String activation = json.text("hidden_act", "silu");
        require(activation.equals("silu"), "hidden_act is '" + activation + "'; silu is supported");
        int hidden = json.integer("hidden_size");
        int heads = json.integer("num_attention_heads");
        require(heads > 0, "num_attention_heads is " + heads);
        require(
                json.has("head_dim") || hidden % heads == 0,
                "hidden_size is " + hidden + ", which is not a multiple of num_attention_heads, " + heads);
        boolean attentionBias = json.flag("attention_bias", qwen2);
        ConfigJson rope = json.object(json.has("rope_parameters") ? "rope_parameters" : "rope_scaling");
        double theta = json.number("rope_theta", 10_000);
        return new LlamaConfig(
                json.integer("vocab_size"),
                hidden,
                json.integer("intermediate_size"),
                json.integer("num_hidden_layers"),
                heads,
                json.integer("num_key_value_heads", heads),
                json.integer("head_dim", hidden / heads),
                json.integer("max_position_embeddings", 2048),
                json.number("rms_norm_eps", 1e-6),
                rope.number("rope_theta", theta),
                ropeScaling(rope),
                json.flag("tie_word_embeddings", false),
                attentionBias,
                attentionBias && !qwen2,
                json.flag("mlp_bias", false),
                json.number("initializer_range", 0.02));
    }

    private static @Nullable Llama3Scaling ropeScaling(ConfigJson rope) {
        String type = rope.text("rope_type", rope.text("type", "default"));
        if (type.equals("default")) {
            return null;
        }
        require(type.equals("llama3"), "rope_type is '" + type + "'; default and llama3 are supported");
        return new Llama3Scaling(
                rope.number("factor"),
                rope.number("low_freq_factor"),
                rope.number("high_freq_factor"),
                rope.number("original_max_position_embeddings"));
    }

    /** The contents of {@code config.json}, in the spelling that every version of transformers reads. */
    @Override
    public ConfigJson toJson() {
        boolean qwen2 = attentionBias && !outputBias;
        ConfigJson json = new ConfigJson()
                .set("architectures", List.of(qwen2 ? "Qwen2ForCausalLM" : "LlamaForCausalLM"))
                .set("model_type", qwen2 ? "qwen2" : "llama")
                .set("vocab_size", vocabSize)
                .set("hidden_size", hiddenSize)
                .set("intermediate_size", intermediateSize)
                .set("num_hidden_layers", numHiddenLayers)
                .set("num_attention_heads", numAttentionHeads)
                .set("num_key_value_heads", numKeyValueHeads)
                .set("head_dim", headDim)
                .set("max_position_embeddings", maxPositionEmbeddings)
                .set("hidden_act", "silu")
                .set("rms_norm_eps", rmsNormEps)
                .set("rope_theta", ropeTheta);
        if (ropeScaling != null) {
            json.set(
                    "rope_scaling",
                    new ConfigJson()
                            .set("rope_type", "llama3")
                            .set("factor", ropeScaling.factor())
                            .set("low_freq_factor", ropeScaling.lowFreqFactor())
                            .set("high_freq_factor", ropeScaling.highFreqFactor())
                            .set("original_max_position_embeddings", (long)
                                    ropeScaling.originalMaxPositionEmbeddings()));
        }
        return json.set("tie_word_embeddings", tieWordEmbeddings)
                .set("attention_bias", attentionBias)
                .set("mlp_bias", mlpBias)
                .set("initializer_range", initializerRange);
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
