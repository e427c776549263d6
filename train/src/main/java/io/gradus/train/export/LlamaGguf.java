package io.gradus.train.export;

import static io.gradus.train.export.Architecture.require;

import io.gradus.nn.Activation;
import io.gradus.nn.model.decoder.DecoderSettings;
import io.gradus.nn.model.llama.LlamaConfig;
import io.gradus.nn.model.smollm3.SmolLm3Config;
import java.util.List;

/**
 * Llama, Mistral ({@code llama}) and SmolLM3 ({@code smollm3}). llama.cpp rotates neighboring elements of their queries and keys,
 * so the rows of {@code q_proj} and {@code k_proj} are interleaved.
 *
 * @param name of the architecture
 * @param settings of the network
 * @param rope its positions
 */
record LlamaGguf(String name, DecoderSettings settings, RopeGguf rope) implements Architecture {
    private static final int SMOLLM3_INTERVAL = 4;

    static LlamaGguf of(LlamaConfig config) {
        return of("llama", config.settings(), true);
    }

    static LlamaGguf of(SmolLm3Config config) {
        String name = "smollm3";
        for (int layer = 0; layer < config.numHiddenLayers(); layer++) {
            require(
                    config.noRopeLayers().contains(layer) == ((layer + 1) % SMOLLM3_INTERVAL == 0),
                    name,
                    "no_rope_layers is other than each fourth layer");
        }
        require(!config.attentionBias(), name, "attention_bias is true");
        require(!config.mlpBias(), name, "mlp_bias is true");
        return of(name, config.settings(), false);
    }

    private static LlamaGguf of(String name, DecoderSettings settings, boolean hasFactors) {
        DecoderGguf.requireActivation(settings, Activation.SILU, name);
        return new LlamaGguf(name, settings, new RopeGguf(name, settings.rope(), hasFactors));
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

    @Override
    public Rows arranged(String parameter, Rows rows) {
        if (parameter.contains(".q_proj.")) {
            return rows.interleaved(settings.numAttentionHeads());
        }
        return parameter.contains(".k_proj.") ? rows.interleaved(settings.numKeyValueHeads()) : rows;
    }

    @Override
    public List<GgufTensor> computed() {
        return rope.computed();
    }
}
