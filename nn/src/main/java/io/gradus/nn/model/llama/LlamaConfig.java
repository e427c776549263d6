package io.gradus.nn.model.llama;

import static io.gradus.nn.model.ConfigJson.check;
import static io.gradus.nn.model.ConfigJson.integer;
import static io.gradus.nn.model.ConfigJson.number;
import static io.gradus.nn.model.ConfigJson.positive;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.gradus.nn.model.ConfigJson;
import io.gradus.nn.model.llama.RotaryTable.Llama3Scaling;
import java.io.IOException;
import java.nio.file.Path;
import org.jspecify.annotations.Nullable;

/**
 * What {@code config.json} says of a Llama; components bear its names in Java's spelling.
 *
 * @param vocabSize tokens
 * @param hiddenSize width of the model
 * @param intermediateSize width of the feed-forward block
 * @param numHiddenLayers blocks
 * @param numAttentionHeads heads of queries
 * @param numKeyValueHeads heads of keys and values, a divisor of the former
 * @param headDim elements per head, even; {@code hidden_size / num_attention_heads} where the file is silent
 * @param maxPositionEmbeddings tokens that the model can see at once
 * @param rmsNormEps added to the mean square in each norm
 * @param ropeTheta base of the rotary angles
 * @param ropeScaling how they are stretched, or null
 * @param tieWordEmbeddings whether the output layer is the embedding table
 * @param attentionBias whether the query, key and value layers have biases
 * @param outputBias whether the attention's output layer has one
 * @param mlpBias whether the feed-forward layers have
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
        double initializerRange) {

    public LlamaConfig {
        positive("vocab_size", vocabSize);
        positive("hidden_size", hiddenSize);
        positive("intermediate_size", intermediateSize);
        positive("num_hidden_layers", numHiddenLayers);
        positive("num_attention_heads", numAttentionHeads);
        positive("num_key_value_heads", numKeyValueHeads);
        positive("head_dim", headDim);
        positive("max_position_embeddings", maxPositionEmbeddings);
        check(
                numAttentionHeads % numKeyValueHeads == 0,
                "num_attention_heads is " + numAttentionHeads + ", which is not a multiple of num_key_value_heads, "
                        + numKeyValueHeads);
        check(headDim % 2 == 0, "head_dim is " + headDim + "; rotary positions need an even one");
        check(rmsNormEps >= 0 && rmsNormEps < 1, "rms_norm_eps is " + rmsNormEps);
        check(ropeTheta > 1 && Double.isFinite(ropeTheta), "rope_theta is " + ropeTheta);
        check(
                (long) maxPositionEmbeddings * headDim <= Integer.MAX_VALUE,
                "max_position_embeddings is " + maxPositionEmbeddings
                        + "; a table of that many rotary angles would not fit into memory");
        check(
                attentionBias || !outputBias,
                "the attention's output layer has a bias and the others have none, which no"
                        + " model_type stands for");
        check(!mlpBias || attentionBias == outputBias, "mlp_bias is set, which model_type qwen2 does not have");
        check(initializerRange >= 0 && Double.isFinite(initializerRange), "initializer_range is " + initializerRange);
    }

    /** A new model's configuration with the usual choices: tied embeddings, no biases, θ = 10,000, eps 1e-5. */
    public static LlamaConfig of(
            int vocabSize,
            int hiddenSize,
            int intermediateSize,
            int layers,
            int heads,
            int keyValueHeads,
            int context) {
        check(
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
     * Reads {@code config.json} of a checkpoint folder. Families {@code llama}, {@code mistral} without sliding window, and
     * {@code qwen2} share these layers.
     *
     * @throws IOException when the file is missing, is not JSON, or describes something else; says which key
     */
    public static LlamaConfig read(Path folder) throws IOException {
        return ConfigJson.read(folder, LlamaConfig::parse);
    }

    public static LlamaConfig parse(JsonNode json) {
        check(json.isObject(), "is not an object");
        String family = json.path("model_type").asText("llama");
        boolean qwen2 = family.equals("qwen2");
        check(
                family.equals("llama") || family.equals("mistral") || qwen2,
                "model_type is '" + family + "'; llama, mistral and qwen2 are supported");
        boolean window = json.path("sliding_window").isNumber()
                && json.path("use_sliding_window").asBoolean(!qwen2);
        check(!window, "sliding_window is set; attention over a window is not supported");
        String activation = json.path("hidden_act").asText("silu");
        check(activation.equals("silu"), "hidden_act is '" + activation + "'; silu is supported");
        int hidden = integer(json, "hidden_size", null);
        int heads = integer(json, "num_attention_heads", null);
        check(heads > 0, "num_attention_heads is " + heads);
        check(
                json.hasNonNull("head_dim") || hidden % heads == 0,
                "hidden_size is " + hidden + ", which is not a multiple of num_attention_heads, " + heads);
        boolean attentionBias = json.path("attention_bias").asBoolean(qwen2);
        JsonNode rope =
                json.path("rope_parameters").isObject() ? json.path("rope_parameters") : json.path("rope_scaling");
        JsonNode theta = rope.hasNonNull("rope_theta") ? rope : json;
        return new LlamaConfig(
                integer(json, "vocab_size", null),
                hidden,
                integer(json, "intermediate_size", null),
                integer(json, "num_hidden_layers", null),
                heads,
                integer(json, "num_key_value_heads", heads),
                integer(json, "head_dim", hidden / heads),
                integer(json, "max_position_embeddings", 2048),
                number(json, "rms_norm_eps", 1e-6),
                number(theta, "rope_theta", 10_000.0),
                scaling(rope),
                json.path("tie_word_embeddings").asBoolean(false),
                attentionBias,
                attentionBias && !qwen2,
                json.path("mlp_bias").asBoolean(false),
                number(json, "initializer_range", 0.02));
    }

    private static @Nullable Llama3Scaling scaling(JsonNode rope) {
        String type = rope.path("rope_type").asText(rope.path("type").asText("default"));
        if (type.equals("default")) {
            return null;
        }
        check(type.equals("llama3"), "rope_type is '" + type + "'; default and llama3 are supported");
        return new Llama3Scaling(
                number(rope, "factor", null),
                number(rope, "low_freq_factor", null),
                number(rope, "high_freq_factor", null),
                number(rope, "original_max_position_embeddings", null));
    }

    /** As {@code config.json} holds it, in the spelling that every version of transformers reads. */
    public ObjectNode toJson() {
        boolean qwen2 = attentionBias && !outputBias;
        ObjectNode json = ConfigJson.JSON.createObjectNode();
        json.putArray("architectures").add(qwen2 ? "Qwen2ForCausalLM" : "LlamaForCausalLM");
        json.put("model_type", qwen2 ? "qwen2" : "llama");
        json.put("vocab_size", vocabSize);
        json.put("hidden_size", hiddenSize);
        json.put("intermediate_size", intermediateSize);
        json.put("num_hidden_layers", numHiddenLayers);
        json.put("num_attention_heads", numAttentionHeads);
        json.put("num_key_value_heads", numKeyValueHeads);
        json.put("head_dim", headDim);
        json.put("max_position_embeddings", maxPositionEmbeddings);
        json.put("hidden_act", "silu");
        json.put("rms_norm_eps", rmsNormEps);
        json.put("rope_theta", ropeTheta);
        if (ropeScaling != null) {
            json.putObject("rope_scaling")
                    .put("rope_type", "llama3")
                    .put("factor", ropeScaling.factor())
                    .put("low_freq_factor", ropeScaling.lowFrequencyFactor())
                    .put("high_freq_factor", ropeScaling.highFrequencyFactor())
                    .put("original_max_position_embeddings", (long) ropeScaling.originalMaxPositions());
        }
        json.put("tie_word_embeddings", tieWordEmbeddings);
        json.put("attention_bias", attentionBias);
        json.put("mlp_bias", mlpBias);
        json.put("initializer_range", initializerRange);
        return json;
    }
}
