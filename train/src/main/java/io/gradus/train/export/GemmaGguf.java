package io.gradus.train.export;

import static io.gradus.train.export.Architecture.require;

import io.gradus.nn.Activation;
import io.gradus.nn.model.decoder.DecoderSettings;
import io.gradus.nn.model.decoder.Rope;
import io.gradus.nn.model.decoder.SlidingWindow;
import io.gradus.nn.model.gemma.Gemma2Config;
import io.gradus.nn.model.gemma.Gemma3Config;
import java.util.List;
import java.util.Map;
import java.util.stream.IntStream;

/**
 * Gemma 2 ({@code gemma2}) and Gemma 3 for text ({@code gemma3}). Their norms multiply by 1 + weight; in the file, the weights are
 * those sums.
 *
 * @param name of the architecture
 * @param settings of the network
 * @param rope positions of the layers without a window
 * @param localRope positions of the layers with one
 * @param interval of the layers without a window, unless the file lists them
 * @param attentionSoftcap bound of the scores of attention, or 0
 * @param finalSoftcap bound of the logits, or 0
 */
record GemmaGguf(
        String name,
        DecoderSettings settings,
        RopeGguf rope,
        Rope localRope,
        int interval,
        double attentionSoftcap,
        double finalSoftcap)
        implements Architecture {
    private static final Map<String, String> NAMES = Map.of(
            "post_attention_layernorm", "post_attention_norm",
            "pre_feedforward_layernorm", "ffn_norm",
            "post_feedforward_layernorm", "post_ffw_norm");

    private static final int LAYERS_OF_GEMMA2_27B = 46;
    private static final int LAYERS_OF_GEMMA3_27B = 62;

    static GemmaGguf of(Gemma2Config config) {
        String name = "gemma2";
        DecoderSettings settings = config.settings();
        require(config.attnLogitSoftcapping() > 0, name, "attn_logit_softcapping is null");
        require(config.finalLogitSoftcapping() > 0, name, "final_logit_softcapping is null");
        require(settings.tieWordEmbeddings(), name, "tie_word_embeddings is false");
        check(name, settings, config.attentionBias(), config.queryPreAttnScalar(), LAYERS_OF_GEMMA2_27B);
        return new GemmaGguf(
                name,
                settings,
                new RopeGguf(name, settings.rope(), false),
                settings.rope(),
                2,
                config.attnLogitSoftcapping(),
                config.finalLogitSoftcapping());
    }

    static GemmaGguf of(Gemma3Config config) {
        String name = "gemma3";
        DecoderSettings settings = config.settings();
        require(config.localRope().scaling() == null, name, "the rotary positions of layers with a window are scaled");
        check(name, settings, config.attentionBias(), config.queryPreAttnScalar(), LAYERS_OF_GEMMA3_27B);
        return new GemmaGguf(
                name,
                settings,
                new RopeGguf(name, settings.rope(), false),
                config.localRope(),
                6,
                0,
                config.finalLogitSoftcapping());
    }

    private static void check(String name, DecoderSettings settings, boolean bias, int scalar, int largest) {
        DecoderGguf.requireActivation(settings, Activation.GELU_TANH, name);
        require(!bias, name, "attention_bias is true");
        int usual = settings.numHiddenLayers() == largest
                ? settings.hiddenSize() / settings.numAttentionHeads()
                : settings.headDim();
        require(scalar == usual, name, "query_pre_attn_scalar is " + scalar + ", not " + usual);
    }

    @Override
    public void describe(GgufMetadata metadata) {
        DecoderGguf.describe(settings, metadata);
        rope.describe(metadata);
        SlidingWindow window = settings.slidingWindow();
        int layers = settings.numHiddenLayers();
        if (window.size() > 0 || name.equals("gemma2")) { // llama.cpp assumes a window if gemma2 names none
            metadata.network(
                            "attention.sliding_window",
                            window.size() > 0 ? window.size() : settings.maxPositionEmbeddings())
                    .network("rope.freq_base_swa", localRope.theta());
            List<Boolean> windowed =
                    IntStream.range(0, layers).mapToObj(window::isOf).toList();
            List<Boolean> usual = IntStream.range(0, layers)
                    .mapToObj(layer -> (layer + 1) % interval != 0)
                    .toList();
            if (window.size() > 0 && !windowed.equals(usual)) {
                metadata.network("attention.sliding_window_pattern", windowed);
            }
        }
        if (attentionSoftcap > 0) {
            metadata.network("attn_logit_softcapping", attentionSoftcap);
        }
        if (finalSoftcap > 0) {
            metadata.network("final_logit_softcapping", finalSoftcap);
        }
    }

    @Override
    public String tensorName(String parameter) {
        return DecoderGguf.names(NAMES).of(parameter);
    }

    @Override
    public Rows arranged(String parameter, Rows rows) {
        return parameter.endsWith("norm.weight") ? rows.plusOne() : rows;
    }
}
