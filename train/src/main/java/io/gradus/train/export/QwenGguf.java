package io.gradus.train.export;

import static io.gradus.train.export.Architecture.require;

import io.gradus.nn.Activation;
import io.gradus.nn.model.decoder.DecoderSettings;
import io.gradus.nn.model.llama.LlamaConfig;
import io.gradus.nn.model.qwen3.Qwen3Config;

/**
 * Qwen2 ({@code qwen2}) and Qwen3 ({@code qwen3}). llama.cpp rotates elements that are half a head apart, as we do.
 *
 * @param name of the architecture
 * @param settings of the network
 * @param rope its positions
 */
record QwenGguf(String name, DecoderSettings settings, RopeGguf rope) implements Architecture {

    static QwenGguf of(LlamaConfig qwen2) {
        DecoderSettings settings = qwen2.settings();
        require(
                settings.headDim() * settings.numAttentionHeads() == settings.hiddenSize(),
                "qwen2",
                "head_dim is " + settings.headDim() + ", not hidden_size / num_attention_heads");
        return of("qwen2", settings);
    }

    static QwenGguf of(Qwen3Config config) {
        require(!config.attentionBias(), "qwen3", "attention_bias is true");
        return of("qwen3", config.settings());
    }

    private static QwenGguf of(String name, DecoderSettings settings) {
        DecoderGguf.requireActivation(settings, Activation.SILU, name);
        return new QwenGguf(name, settings, new RopeGguf(name, settings.rope(), false));
    }

    @Override
    public void describe(GgufMetadata metadata) {
        DecoderGguf.describe(settings, metadata);
        DecoderGguf.limitToWindow(settings, name, metadata);
        rope.describe(metadata);
    }

    @Override
    public String tensorName(String parameter) {
        return DecoderGguf.names().of(parameter);
    }
}
