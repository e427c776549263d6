package io.gradus.nn.model.gpt2;

import static io.gradus.nn.model.ConfigJson.check;
import static io.gradus.nn.model.ConfigJson.integer;
import static io.gradus.nn.model.ConfigJson.number;
import static io.gradus.nn.model.ConfigJson.positive;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.gradus.autograd.Variable;
import io.gradus.nn.model.ConfigJson;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Locale;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/**
 * What {@code config.json} says of a GPT-2; components bear its names in Java's spelling.
 *
 * @param vocabSize tokens
 * @param nPositions tokens that the model can see at once: there is a trained vector for each place
 * @param nEmbd width of the model
 * @param nLayer blocks
 * @param nHead attention heads, a divisor of {@code nEmbd}
 * @param nInner width of the feed-forward block; {@code 4·nEmbd} where the file is silent
 * @param activationFunction between its two layers
 * @param residPdrop share of what a block adds that training drops; see {@link #hasDropout}
 * @param embdPdrop share of the embeddings
 * @param attnPdrop share of the attention weights
 * @param layerNormEpsilon added to the variance in each norm
 * @param scaleAttnWeights whether attention's scores are divided by {@code √(nEmbd / nHead)}
 * @param tieWordEmbeddings whether the output layer is the embedding table
 * @param initializerRange standard deviation of new weights
 * @param bosTokenId begins a text, or null
 * @param eosTokenId ends a text, or null
 */
public record Gpt2Config(
        int vocabSize,
        int nPositions,
        int nEmbd,
        int nLayer,
        int nHead,
        int nInner,
        Activation activationFunction,
        double residPdrop,
        double embdPdrop,
        double attnPdrop,
        double layerNormEpsilon,
        boolean scaleAttnWeights,
        boolean tieWordEmbeddings,
        double initializerRange,
        @Nullable Integer bosTokenId,
        @Nullable Integer eosTokenId) {

    /** The functions that {@code activation_function} may name, by that name. */
    public enum Activation {
        /** The approximation by a hyperbolic tangent, with which GPT-2 was trained. */
        GELU_NEW,
        /** The same function by its newer name. */
        GELU_PYTORCH_TANH,
        GELU,
        RELU,
        SILU;

        Variable apply(Variable x) {
            return switch (this) {
                case GELU_NEW, GELU_PYTORCH_TANH -> x.geluTanh();
                case GELU -> x.gelu();
                case RELU -> x.relu();
                case SILU -> x.silu();
            };
        }

        private String key() {
            return name().toLowerCase(Locale.ROOT);
        }

        private static Activation of(String key) {
            String known = Arrays.stream(values()).map(Activation::key).collect(Collectors.joining(", "));
            return Arrays.stream(values())
                    .filter(activation -> activation.key().equals(key))
                    .findFirst()
                    .orElseThrow(() -> new IllegalArgumentException(
                            "config.json: activation_function is '" + key + "'; supported are " + known));
        }
    }

    public Gpt2Config {
        positive("vocab_size", vocabSize);
        positive("n_positions", nPositions);
        positive("n_embd", nEmbd);
        positive("n_layer", nLayer);
        positive("n_head", nHead);
        positive("n_inner", nInner);
        check(nEmbd % nHead == 0, "n_embd is " + nEmbd + ", which is not a multiple of n_head, " + nHead);
        probability("resid_pdrop", residPdrop);
        probability("embd_pdrop", embdPdrop);
        probability("attn_pdrop", attnPdrop);
        check(layerNormEpsilon >= 0 && layerNormEpsilon < 1, "layer_norm_epsilon is " + layerNormEpsilon);
        check(initializerRange >= 0 && Double.isFinite(initializerRange), "initializer_range is " + initializerRange);
    }

    private static void probability(String key, double value) {
        check(value >= 0 && value <= 1, key + " is " + value + "; it must be from 0 to 1");
    }

    /** A new model's configuration with the usual choices: gelu_new, tied embeddings, no dropout, eps 1e-5. */
    public static Gpt2Config of(int vocabSize, int width, int layers, int heads, int context) {
        return new Gpt2Config(
                vocabSize,
                context,
                width,
                layers,
                heads,
                Math.multiplyExact(4, width),
                Activation.GELU_NEW,
                0,
                0,
                0,
                1e-5,
                true,
                true,
                0.02,
                null,
                null);
    }

    /**
     * Reads {@code config.json} of a checkpoint folder.
     *
     * @throws IOException when the file is missing, is not JSON, or describes something else; says which key
     */
    public static Gpt2Config read(Path folder) throws IOException {
        return ConfigJson.read(folder, Gpt2Config::parse);
    }

    static Gpt2Config parse(JsonNode json) {
        check(json.isObject(), "is not an object");
        String family = json.path("model_type").asText("gpt2");
        check(family.equals("gpt2"), "model_type is '" + family + "', not gpt2");
        for (String option :
                new String[] {"scale_attn_by_inverse_layer_idx", "reorder_and_upcast_attn", "add_cross_attention"}) {
            check(!json.path(option).asBoolean(false), option + " is set, which is not supported");
        }
        int width = integer(json, "n_embd", null);
        check(width <= Integer.MAX_VALUE / 4, "n_embd is " + width);
        return new Gpt2Config(
                integer(json, "vocab_size", null),
                integer(json, "n_positions", null),
                width,
                integer(json, "n_layer", null),
                integer(json, "n_head", null),
                integer(json, "n_inner", 4 * width),
                Activation.of(json.path("activation_function").asText("gelu_new")),
                number(json, "resid_pdrop", 0.1),
                number(json, "embd_pdrop", 0.1),
                number(json, "attn_pdrop", 0.1),
                number(json, "layer_norm_epsilon", 1e-5),
                json.path("scale_attn_weights").asBoolean(true),
                json.path("tie_word_embeddings").asBoolean(true),
                number(json, "initializer_range", 0.02),
                token(json, "bos_token_id"),
                token(json, "eos_token_id"));
    }

    /** A token's id, or null; of a list, which chat models have, the first. */
    private static @Nullable Integer token(JsonNode json, String key) {
        JsonNode node = json.path(key).isArray() ? json.path(key).path(0) : json.path(key);
        check(node.isMissingNode() || node.isNull() || node.isInt(), key + " is " + node + ", not a token's id");
        return node.isInt() ? node.intValue() : null;
    }

    /**
     * Whether the file asks for dropout in training. It is read and written, so that other programs find it, and not applied:
     * attention's kernels have none.
     */
    public boolean hasDropout() {
        return residPdrop > 0 || embdPdrop > 0 || attnPdrop > 0;
    }

    /** As {@code config.json} holds it. */
    public ObjectNode toJson() {
        ObjectNode json = ConfigJson.JSON.createObjectNode();
        json.putArray("architectures").add("GPT2LMHeadModel");
        json.put("model_type", "gpt2");
        json.put("vocab_size", vocabSize);
        json.put("n_positions", nPositions);
        json.put("n_embd", nEmbd);
        json.put("n_layer", nLayer);
        json.put("n_head", nHead);
        json.put("n_inner", nInner);
        json.put("activation_function", activationFunction.key());
        json.put("resid_pdrop", residPdrop);
        json.put("embd_pdrop", embdPdrop);
        json.put("attn_pdrop", attnPdrop);
        json.put("layer_norm_epsilon", layerNormEpsilon);
        json.put("scale_attn_weights", scaleAttnWeights);
        json.put("tie_word_embeddings", tieWordEmbeddings);
        json.put("initializer_range", initializerRange);
        json.put("bos_token_id", bosTokenId); // null too: without the key transformers takes 50256
        json.put("eos_token_id", eosTokenId);
        return json;
    }
}
