package io.gradus.nn.model.gpt2;

import static io.gradus.nn.model.ConfigJson.require;
import static io.gradus.nn.model.ConfigJson.requirePositive;
import static io.gradus.nn.model.ConfigJson.requireTensor;

import io.gradus.nn.Activation;
import io.gradus.nn.Initializer;
import io.gradus.nn.WeightSource;
import io.gradus.nn.model.Activations;
import io.gradus.nn.model.ConfigJson;
import io.gradus.nn.model.ConfigKey;
import io.gradus.nn.model.ConfigSize;
import io.gradus.nn.model.ConfigSize.Axis;
import io.gradus.nn.model.ConfigSize.Layers;
import io.gradus.nn.model.Head;
import io.gradus.nn.model.LanguageModel;
import io.gradus.nn.model.ModelConfig;
import io.gradus.nn.model.PretrainedModel;
import io.gradus.nn.model.WordEmbeddings;
import io.gradus.nn.model.decoder.DecoderHeads;
import java.util.List;
import java.util.Optional;
import java.util.function.Predicate;
import java.util.function.UnaryOperator;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/**
 * The configuration of a GPT-2. The components are the keys of {@code config.json} in Java's spelling.
 *
 * @param vocabSize number of tokens in the vocabulary
 * @param nPositions context length in tokens; each position has a learned vector
 * @param nEmbd elements of a token's hidden state
 * @param nLayer number of blocks
 * @param nHead number of attention heads; divides {@code nEmbd}
 * @param nInner elements between the feed-forward layers; {@code 4·nEmbd} by default
 * @param activationFunction between the feed-forward layers
 * @param residPdrop dropout probability of what a block adds
 * @param embdPdrop dropout probability of the embeddings
 * @param attnPdrop dropout probability of the attention weights
 * @param layerNormEpsilon added to the variance in each norm
 * @param scaleAttnWeights whether attention scores are divided by {@code √(nEmbd / nHead)}
 * @param scaleAttnByInverseLayerIdx whether attention scores of layer i, from 0, are also divided by {@code i + 1}
 * @param tieWordEmbeddings whether the output layer shares the embedding table
 * @param initializerRange standard deviation of new weights
 * @param bosTokenId token that begins a text, or null
 * @param eosTokenId token that ends a text, or null
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
        boolean scaleAttnByInverseLayerIdx,
        boolean tieWordEmbeddings,
        double initializerRange,
        @Nullable Integer bosTokenId,
        @Nullable Integer eosTokenId)
        implements ModelConfig {
    private static final String PREFIX = "transformer.";

    /** Causal masks, which older versions of transformers saved with the weights. */
    private static final Pattern MASK = Pattern.compile("(transformer\\.)?h\\.\\d+\\.attn\\.(bias|masked_bias)");

    public Gpt2Config {
        requirePositive("vocab_size", vocabSize);
        requirePositive("n_positions", nPositions);
        requirePositive("n_embd", nEmbd);
        requirePositive("n_layer", nLayer);
        requirePositive("n_head", nHead);
        requirePositive("n_inner", nInner);
        require(nEmbd % nHead == 0, "n_embd is " + nEmbd + ", which is not a multiple of n_head, " + nHead);
        requireTensor("vocab_size × n_embd", vocabSize, nEmbd);
        requireTensor("n_positions × n_embd", nPositions, nEmbd);
        requireTensor("n_inner × n_embd", nInner, nEmbd);
        requireTensor("3·n_embd × n_embd", 3L * nEmbd, nEmbd);
        probability("resid_pdrop", residPdrop);
        probability("embd_pdrop", embdPdrop);
        probability("attn_pdrop", attnPdrop);
        require(layerNormEpsilon >= 0 && layerNormEpsilon < 1, "layer_norm_epsilon is " + layerNormEpsilon);
        require(initializerRange >= 0 && Double.isFinite(initializerRange), "initializer_range is " + initializerRange);
    }

    private static void probability(String key, double value) {
        require(value >= 0 && value <= 1, key + " is " + value + "; it must be from 0 to 1");
    }

    /** A configuration for a new model: gelu_new, tied embeddings, no dropout, layer_norm_epsilon 1e-5. */
    public static Gpt2Config of(int vocabSize, int width, int layers, int heads, int context) {
        return new Gpt2Config(
                vocabSize,
                context,
                width,
                layers,
                heads,
                Math.multiplyExact(4, width),
                Activation.GELU_TANH,
                0,
                0,
                0,
                1e-5,
                true,
                false,
                true,
                0.02,
                null,
                null);
    }

    /**
     * Reads the {@code config.json} of a GPT-2. {@link Gpt2Keys#TABLE} lists the keys.
     *
     * @throws IllegalArgumentException if a key is missing, malformed or not supported
     */
    public static Gpt2Config read(ConfigJson json) {
        ConfigKey.check(Gpt2Keys.TABLE, json);
        int width = size(json, "n_embd", "hidden_size");
        require(width <= Integer.MAX_VALUE / 4, "n_embd is " + width);
        return new Gpt2Config(
                json.size("vocab_size"),
                size(json, "n_positions", "max_position_embeddings"),
                width,
                size(json, "n_layer", "num_hidden_layers"),
                size(json, "n_head", "num_attention_heads"),
                json.size("n_inner", 4 * width),
                Activations.read(json, "activation_function", "gelu_new"),
                json.number("resid_pdrop", 0.1),
                json.number("embd_pdrop", 0.1),
                json.number("attn_pdrop", 0.1),
                json.number("layer_norm_epsilon", 1e-5),
                json.flag("scale_attn_weights", true),
                json.flag("scale_attn_by_inverse_layer_idx", false),
                json.flag("tie_word_embeddings", true),
                json.number("initializer_range", 0.02),
                json.tokenId("bos_token_id"),
                json.tokenId("eos_token_id"));
    }

    /** A size under its own name, or under the one that other families use, which comes first. */
    private static int size(ConfigJson json, String key, String common) {
        return json.has(common) ? json.size(common) : json.size(key);
    }

    /** The number of a dropout layer in a block: 0 for attention, 1 and 2 for what is added. 0 in all is the embedding's. */
    static int dropoutLayer(int block, int place) {
        return 3 * block + place + 1;
    }

    /** Of the layers that end in a residual connection: see {@link Gpt2}. */
    Initializer residualInitializer() {
        return Initializer.normal(initializerRange / Math.sqrt(2.0 * nLayer));
    }

    @Override
    public int hiddenSize() {
        return nEmbd;
    }

    @Override
    public int numHiddenLayers() {
        return nLayer;
    }

    @Override
    public int maxPositionEmbeddings() {
        return nPositions;
    }

    @Override
    public List<ConfigSize> sizes() {
        return List.of(
                new Layers("n_layer", nLayer, PREFIX + "h."),
                new Axis("vocab_size", vocabSize, PREFIX + "wte.weight", 0),
                new Axis("n_embd", nEmbd, PREFIX + "wte.weight", 1),
                new Axis("n_positions", nPositions, PREFIX + "wpe.weight", 0),
                new Axis("n_inner", nInner, PREFIX + "h.0.mlp.c_fc.weight", 1));
    }

    @Override
    public LanguageModel build(WeightSource weights) {
        return new Gpt2(this, weights);
    }

    @Override
    public PretrainedModel build(WeightSource weights, Head head) {
        return DecoderHeads.build(this, weights, head, "classifier");
    }

    /**
     * Some checkpoints, such as that of {@code gpt2} itself, hold the network without its output layer; their names lack the
     * prefix {@code transformer.}.
     */
    @Override
    public UnaryOperator<String> tensorNames(Predicate<String> inCheckpoint) {
        return inCheckpoint.test("wte.weight")
                ? name -> name.startsWith(PREFIX) ? name.substring(PREFIX.length()) : name
                : UnaryOperator.identity();
    }

    @Override
    public Optional<WordEmbeddings> wordEmbeddings() {
        return Optional.of(new WordEmbeddings("transformer.wte.weight", "lm_head.weight", tieWordEmbeddings));
    }

    /** Old checkpoints hold the causal masks, and some with tied embeddings hold the embedding table twice. */
    @Override
    public boolean ignoresTensor(String name) {
        return MASK.matcher(name).matches() || (name.equals("lm_head.weight") && tieWordEmbeddings);
    }

    @Override
    public ConfigJson toJson() {
        return new ConfigJson()
                .set("architectures", List.of("GPT2LMHeadModel"))
                .set("model_type", "gpt2")
                .set("vocab_size", vocabSize)
                .set("n_positions", nPositions)
                .set("n_embd", nEmbd)
                .set("n_layer", nLayer)
                .set("n_head", nHead)
                .set("n_inner", nInner)
                .set("activation_function", Activations.name(activationFunction))
                .set("resid_pdrop", residPdrop)
                .set("embd_pdrop", embdPdrop)
                .set("attn_pdrop", attnPdrop)
                .set("layer_norm_epsilon", layerNormEpsilon)
                .set("scale_attn_weights", scaleAttnWeights)
                .set("scale_attn_by_inverse_layer_idx", scaleAttnByInverseLayerIdx)
                .set("tie_word_embeddings", tieWordEmbeddings)
                .set("initializer_range", initializerRange)
                .set("bos_token_id", bosTokenId) // null is written too: without the key transformers assumes 50256
                .set("eos_token_id", eosTokenId);
    }
}
