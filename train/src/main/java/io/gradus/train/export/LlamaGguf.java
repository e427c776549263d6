package io.gradus.train.export;

import static io.gradus.train.export.Architecture.require;

import io.gradus.nn.Activation;
import io.gradus.nn.model.decoder.DecoderSettings;
import io.gradus.nn.model.granite.GraniteConfig;
import io.gradus.nn.model.llama.LlamaConfig;
import io.gradus.nn.model.smollm3.SmolLm3Config;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/**
 * Llama, Mistral ({@code llama}), SmolLM3 ({@code smollm3}) and Granite 3 ({@code granite}). llama.cpp rotates neighboring elements of their queries and keys,
 * so the rows of {@code q_proj} and {@code k_proj} are interleaved.
 *
 * @param name of the architecture
 * @param settings of the network
 * @param rope its positions
 * @param factors more settings of the network: numbers by which it multiplies
 */
record LlamaGguf(String name, DecoderSettings settings, RopeGguf rope, Map<String, Double> factors)
        implements Architecture {
    private static final String GRANITE = "granite";
    private static final int SMOLLM3_INTERVAL = 4;

    static LlamaGguf of(LlamaConfig config) {
        return of("llama", config.settings(), true, Map.of());
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
        return of(name, config.settings(), false, Map.of());
    }

    static LlamaGguf of(GraniteConfig config) {
        require(
                config.attentionMultiplier() != 0,
                GRANITE,
                "attention_multiplier is 0"); // there, it means none is given
        return of(
                GRANITE,
                config.settings(),
                false,
                Map.of(
                        "attention.scale", config.attentionMultiplier(),
                        "embedding_scale", config.embeddingMultiplier(),
                        "residual_scale", config.residualMultiplier(),
                        "logit_scale", config.logitsScaling()));
    }

    private static LlamaGguf of(
            String name, DecoderSettings settings, boolean hasFrequencies, Map<String, Double> factors) {
        DecoderGguf.requireActivation(settings, Activation.SILU, name);
        return new LlamaGguf(name, settings, new RopeGguf(name, settings.rope(), hasFrequencies), factors);
    }

    @Override
    public void describe(GgufMetadata metadata) {
        DecoderGguf.describe(settings, metadata);
        DecoderGguf.limitToWindow(settings, name, metadata);
        rope.describe(metadata);
        new TreeMap<>(factors).forEach((key, factor) -> metadata.network(key, factor.doubleValue()));
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
