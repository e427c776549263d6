package io.gradus.train.export;

import io.gradus.nn.Activation;
import io.gradus.nn.model.decoder.DecoderSettings;
import io.gradus.nn.model.decoder.SlidingWindow;
import java.util.HashMap;
import java.util.Locale;
import java.util.Map;

/** What the architectures of decoders with rotary positions share: names as Llama's, and the keys of {@link DecoderSettings}. */
final class DecoderGguf {
    private static final Map<String, String> OTHERS = Map.of(
            "model.embed_tokens", "token_embd",
            "model.norm", "output_norm",
            "lm_head", "output");

    private static final Map<String, String> IN_LAYERS = Map.ofEntries(
            Map.entry("input_layernorm", "attn_norm"),
            Map.entry("self_attn.q_proj", "attn_q"),
            Map.entry("self_attn.k_proj", "attn_k"),
            Map.entry("self_attn.v_proj", "attn_v"),
            Map.entry("self_attn.o_proj", "attn_output"),
            Map.entry("self_attn.q_norm", "attn_q_norm"),
            Map.entry("self_attn.k_norm", "attn_k_norm"),
            Map.entry("post_attention_layernorm", "ffn_norm"),
            Map.entry("mlp.gate_proj", "ffn_gate"),
            Map.entry("mlp.up_proj", "ffn_up"),
            Map.entry("mlp.down_proj", "ffn_down"));

    private DecoderGguf() {}

    /** The names of Llama's weights. */
    static LayerNames names() {
        return names(Map.of());
    }

    /**
     * The names of a decoder's weights.
     *
     * @param different those of the modules in a layer that differ from Llama's
     */
    static LayerNames names(Map<String, String> different) {
        Map<String, String> inLayers = new HashMap<>(IN_LAYERS);
        inLayers.putAll(different);
        return new LayerNames("model.layers.", inLayers, OTHERS);
    }

    /** Adds all settings but rotary positions and windows. */
    static void describe(DecoderSettings settings, GgufMetadata metadata) {
        metadata.network("context_length", settings.maxPositionEmbeddings())
                .network("embedding_length", settings.hiddenSize())
                .network("block_count", settings.numHiddenLayers())
                .network("feed_forward_length", settings.intermediateSize())
                .network("attention.head_count", settings.numAttentionHeads())
                .network("attention.head_count_kv", settings.numKeyValueHeads())
                .network("attention.key_length", settings.headDim())
                .network("attention.value_length", settings.headDim())
                .network("attention.layer_norm_rms_epsilon", settings.normEps())
                .network("vocab_size", settings.vocabSize());
    }

    static void requireActivation(DecoderSettings settings, Activation activation, String architecture) {
        Architecture.require(
                settings.hiddenAct() == activation, architecture, "the activation is " + settings.hiddenAct());
    }

    /** Limits the context of an architecture that has no windows to one window, in which a window has no effect. */
    static void limitToWindow(DecoderSettings settings, String architecture, GgufMetadata metadata) {
        SlidingWindow window = settings.slidingWindow();
        if (window.size() > 0 && window.size() < settings.maxPositionEmbeddings()) {
            metadata.network("context_length", window.size());
            metadata.remark(String.format(
                    Locale.ROOT,
                    "the context length is %,d, that of the sliding window, instead of %,d: llama.cpp has no sliding"
                            + " window in its architecture %s",
                    window.size(),
                    settings.maxPositionEmbeddings(),
                    architecture));
        }
    }
}
