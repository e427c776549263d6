package io.gradus.train.export;

import static io.gradus.train.export.Architecture.require;

import io.gradus.nn.Activation;
import io.gradus.nn.model.decoder.DecoderSettings;
import io.gradus.nn.model.llama.LlamaConfig;
import io.gradus.nn.model.olmo2.Olmo2Config;
import io.gradus.nn.model.phi3.Phi3Config;
import io.gradus.nn.model.qwen3.Qwen3Config;
import java.util.List;
import java.util.Map;

/**
 * Decoders whose weights are in the file as they are, because llama.cpp rotates elements that are half a head apart, as we do: Qwen2
 * ({@code qwen2}), Qwen3 ({@code qwen3}), OLMo 2 ({@code olmo2}) and Phi-3 ({@code phi3}).
 *
 * @param name of the architecture
 * @param settings of the network
 * @param rope its positions
 * @param names of its weights
 */
record UnchangedGguf(String name, DecoderSettings settings, RopeGguf rope, LayerNames names) implements Architecture {
    private static final Map<String, String> OLMO2_NAMES = Map.of(
            "post_attention_layernorm", "post_attention_norm",
            "post_feedforward_layernorm", "post_ffw_norm");

    private static final Map<String, String> PHI3_NAMES = Map.of(
            "self_attn.qkv_proj", "attn_qkv",
            "mlp.gate_up_proj", "ffn_up");

    static UnchangedGguf of(LlamaConfig qwen2) {
        return of("qwen2", withUsualHeads("qwen2", qwen2.settings()), Map.of());
    }

    static UnchangedGguf of(Qwen3Config config) {
        require(!config.attentionBias(), "qwen3", "attention_bias is true");
        return of("qwen3", config.settings(), Map.of());
    }

    static UnchangedGguf of(Olmo2Config config) {
        require(!config.attentionBias(), "olmo2", "attention_bias is true");
        require(!config.settings().tieWordEmbeddings(), "olmo2", "tie_word_embeddings is true");
        return of("olmo2", withUsualHeads("olmo2", config.settings()), OLMO2_NAMES);
    }

    static UnchangedGguf of(Phi3Config config) {
        return of("phi3", withUsualHeads("phi3", config.settings()), PHI3_NAMES);
    }

    private static DecoderSettings withUsualHeads(String name, DecoderSettings settings) {
        require(
                settings.headDim() * settings.numAttentionHeads() == settings.hiddenSize(),
                name,
                "head_dim is " + settings.headDim() + ", not hidden_size / num_attention_heads");
        return settings;
    }

    private static UnchangedGguf of(String name, DecoderSettings settings, Map<String, String> different) {
        DecoderGguf.requireActivation(settings, Activation.SILU, name);
        return new UnchangedGguf(
                name, settings, new RopeGguf(name, settings.rope(), false), DecoderGguf.names(different));
    }

    @Override
    public void describe(GgufMetadata metadata) {
        DecoderGguf.describe(settings, metadata);
        DecoderGguf.limitToWindow(settings, name, metadata);
        rope.describe(metadata);
    }

    @Override
    public String tensorName(String parameter) {
        return names.of(parameter);
    }

    @Override
    public List<GgufTensor> computed() {
        return rope.computed();
    }
}
