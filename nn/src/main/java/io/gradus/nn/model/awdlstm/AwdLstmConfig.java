package io.gradus.nn.model.awdlstm;

import static io.gradus.nn.model.ConfigJson.require;
import static io.gradus.nn.model.ConfigJson.requirePositive;
import static io.gradus.nn.model.ConfigJson.requireTensor;
import static io.gradus.nn.model.ConfigKey.rejected;

import io.gradus.nn.WeightSource;
import io.gradus.nn.model.ConfigJson;
import io.gradus.nn.model.ConfigKey;
import io.gradus.nn.model.ConfigSize;
import io.gradus.nn.model.ConfigSize.Axis;
import io.gradus.nn.model.ConfigSize.Layers;
import io.gradus.nn.model.Head;
import io.gradus.nn.model.Labels;
import io.gradus.nn.model.LanguageModel;
import io.gradus.nn.model.ModelConfig;
import io.gradus.nn.model.PretrainedModel;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * The configuration of an AWD-LSTM. The components are the keys of {@code config.json} in Java's spelling, and the keys are those
 * of fastai's {@code awd_lstm_lm_config}.
 *
 * @param vocabSize number of tokens in the vocabulary
 * @param embSz elements of an embedding, and units of the last layer
 * @param nHid units of the other layers
 * @param nLayers number of layers
 * @param padToken token whose embedding gets no gradient from a lookup, or null
 * @param outputP share of the network's output that is dropped
 * @param hiddenP share of the states between layers that is dropped
 * @param inputP share of the embeddings' elements that is dropped
 * @param embedP share of the words of the vocabulary that is dropped
 * @param weightP share of the weights between the hidden states of two steps that is dropped
 * @param tieWeights whether the output layer shares the embedding table
 * @param outBias whether the output layer has a bias
 * @param alpha factor of the activation regularization
 * @param beta factor of the temporal activation regularization
 * @param linFtrs elements between the two blocks of a classifier
 * @param ps share of those elements that a classifier drops
 * @param bptt tokens that a classifier reads at once
 * @param maxLen tokens at the end of a text that a classifier pools
 * @param bosTokenId token that begins a text, or null
 * @param eosTokenId token that ends a text, or null
 */
public record AwdLstmConfig(
        int vocabSize,
        int embSz,
        int nHid,
        int nLayers,
        @Nullable Integer padToken,
        double outputP,
        double hiddenP,
        double inputP,
        double embedP,
        double weightP,
        boolean tieWeights,
        boolean outBias,
        double alpha,
        double beta,
        int linFtrs,
        double ps,
        int bptt,
        int maxLen,
        @Nullable Integer bosTokenId,
        @Nullable Integer eosTokenId)
        implements ModelConfig {
    /** The value of {@code model_type}. */
    public static final String TYPE = "awd_lstm";

    /** A recurrent network reads texts of any length. This is the length for programs that need one. */
    private static final int CONTEXT = 1 << 20;

    private static final List<ConfigKey> NOT_SUPPORTED = List.of(
            rejected("bidir", false, "a language model reads in one direction"),
            rejected("qrnn", false, "layers of another kind are not supported"),
            rejected("hidden_init", null, "the first state is 0"));

    public AwdLstmConfig {
        requirePositive("vocab_size", vocabSize);
        requirePositive("emb_sz", embSz);
        requirePositive("n_hid", nHid);
        requirePositive("n_layers", nLayers);
        requireTensor("vocab_size × emb_sz", vocabSize, embSz);
        requireTensor("4·n_hid × n_hid", 4L * nHid, nHid);
        require(
                padToken == null || padToken >= 0 && padToken < vocabSize,
                "pad_token is " + padToken + ", which is not in the vocabulary");
        probability("output_p", outputP);
        probability("hidden_p", hiddenP);
        probability("input_p", inputP);
        probability("embed_p", embedP);
        probability("weight_p", weightP);
        probability("ps", ps);
        requirePositive("lin_ftrs", linFtrs);
        requirePositive("bptt", bptt);
        requirePositive("max_len", maxLen);
        require(alpha >= 0 && Double.isFinite(alpha), "alpha is " + alpha + "; it must be at least 0");
        require(beta >= 0 && Double.isFinite(beta), "beta is " + beta + "; it must be at least 0");
    }

    private static void probability(String key, double value) {
        require(value >= 0 && value < 1, key + " is " + value + "; it must be at least 0 and below 1");
    }

    /**
     * A configuration for a new model with the dropouts of fastai's {@code awd_lstm_lm_config}, tied weights, an output bias, and
     * its factors of activation regularization, 2 and 1.
     */
    public static AwdLstmConfig of(int vocabSize, int embSz, int nHid, int nLayers) {
        return new AwdLstmConfig(
                vocabSize, embSz, nHid, nLayers, null, 0.1, 0.15, 0.25, 0.02, 0.2, true, true, 2, 1, 50, 0.1, 72,
                72 * 20, null, null);
    }

    /** The same network with all dropouts multiplied by a factor, fastai's {@code drop_mult}. */
    public AwdLstmConfig withDropMult(double factor) {
        return withDropouts(outputP * factor, hiddenP * factor, inputP * factor, embedP * factor, weightP * factor);
    }

    /** The same network with other dropouts. */
    public AwdLstmConfig withDropouts(double output, double hidden, double input, double embed, double weight) {
        return new AwdLstmConfig(
                vocabSize,
                embSz,
                nHid,
                nLayers,
                padToken,
                output,
                hidden,
                input,
                embed,
                weight,
                tieWeights,
                outBias,
                alpha,
                beta,
                linFtrs,
                ps,
                bptt,
                maxLen,
                bosTokenId,
                eosTokenId);
    }

    /**
     * Reads the {@code config.json} of an AWD-LSTM. Keys that are missing have the values of fastai's configuration.
     *
     * @throws IllegalArgumentException if a size is missing, or a value is malformed or not supported
     */
    public static AwdLstmConfig read(ConfigJson json) {
        ConfigKey.check(NOT_SUPPORTED, json);
        return new AwdLstmConfig(
                json.size("vocab_size"),
                json.size("emb_sz"),
                json.size("n_hid"),
                json.size("n_layers"),
                json.tokenId("pad_token"),
                json.number("output_p", 0.1),
                json.number("hidden_p", 0.15),
                json.number("input_p", 0.25),
                json.number("embed_p", 0.02),
                json.number("weight_p", 0.2),
                json.flag("tie_weights", true),
                json.flag("out_bias", true),
                json.number("alpha", 2),
                json.number("beta", 1),
                json.size("lin_ftrs", 50),
                json.number("ps", 0.1),
                json.size("bptt", 72),
                json.size("max_len", 72 * 20),
                json.tokenId("bos_token_id"),
                json.tokenId("eos_token_id"));
    }

    @Override
    public int hiddenSize() {
        return embSz;
    }

    @Override
    public int numHiddenLayers() {
        return nLayers;
    }

    @Override
    public int maxPositionEmbeddings() {
        return CONTEXT;
    }

    @Override
    public boolean isRecurrent() {
        return true;
    }

    @Override
    public List<ConfigSize> sizes() {
        return List.of(
                new Layers("n_layers", nLayers, "rnns."),
                new Axis("vocab_size", vocabSize, "encoder.weight", 0),
                new Axis("emb_sz", embSz, "encoder.weight", 1),
                new Axis(
                        "n_hid",
                        nLayers == 1 ? embSz : nHid,
                        "rnns." + (nLayers == 1 ? 0 : nLayers - 2) + ".weight_hh_l0",
                        1));
    }

    @Override
    public LanguageModel build(WeightSource weights) {
        return new AwdLstm(this, weights);
    }

    /** Language models, and classifiers of sequences. */
    @Override
    public PretrainedModel build(WeightSource weights, Head head) {
        return switch (head) {
            case Head.LanguageModeling _ -> build(weights);
            case Head.SequenceClassification(Labels labels) ->
                new AwdLstmForSequenceClassification(this, weights, labels);
            case Head.None _, Head.TokenClassification _ -> throw head.unsupported(this);
        };
    }

    @Override
    public boolean isOfOtherHead(String name, Head head) {
        return !(head instanceof Head.LanguageModeling) && name.startsWith("decoder.");
    }

    @Override
    public ConfigJson toJson() {
        return new ConfigJson()
                .set("architectures", List.of("AwdLstmForCausalLM"))
                .set("model_type", TYPE)
                .set("vocab_size", vocabSize)
                .set("emb_sz", embSz)
                .set("n_hid", nHid)
                .set("n_layers", nLayers)
                .set("pad_token", padToken)
                .set("output_p", outputP)
                .set("hidden_p", hiddenP)
                .set("input_p", inputP)
                .set("embed_p", embedP)
                .set("weight_p", weightP)
                .set("tie_weights", tieWeights)
                .set("out_bias", outBias)
                .set("alpha", alpha)
                .set("beta", beta)
                .set("lin_ftrs", linFtrs)
                .set("ps", ps)
                .set("bptt", bptt)
                .set("max_len", maxLen)
                .set("bos_token_id", bosTokenId)
                .set("eos_token_id", eosTokenId);
    }
}
