package io.gradus.nn.model.llama;

import static io.gradus.nn.model.ConfigJson.require;

import io.gradus.nn.Activation;
import io.gradus.nn.WeightSource;
import io.gradus.nn.model.ConfigJson;
import io.gradus.nn.model.LanguageModel;
import io.gradus.nn.model.decoder.DecoderConfig;
import io.gradus.nn.model.decoder.DecoderSettings;
import io.gradus.nn.model.decoder.Rope;
import io.gradus.nn.model.decoder.SlidingWindow;

/**
 * The configuration of a Llama, Mistral or Qwen2.
 *
 * @param type which of these it is
 * @param settings what all decoders have
 * @param attentionBias whether the attention projections of a Llama have biases; false for the other types
 * @param mlpBias whether the feed-forward layers of a Llama have biases; false for the other types
 */
public record LlamaConfig(LlamaType type, DecoderSettings settings, boolean attentionBias, boolean mlpBias)
        implements DecoderConfig {

    public LlamaConfig {
        require(
                type == LlamaType.LLAMA || !(attentionBias || mlpBias),
                "attention_bias or mlp_bias is set, which only model_type llama has");
    }

    /** A configuration for a new Llama: tied embeddings, no biases, rope_theta 10,000, rms_norm_eps 1e-5. */
    public static LlamaConfig of(
            int vocabSize,
            int hiddenSize,
            int intermediateSize,
            int layers,
            int heads,
            int keyValueHeads,
            int context) {
        require(
                heads > 0 && hiddenSize % heads == 0,
                "hidden_size is " + hiddenSize + ", which is not a multiple of num_attention_heads, " + heads);
        int headDim = hiddenSize / heads;
        require(headDim % 2 == 0, "head_dim is " + headDim + "; rotary positions need an even one");
        DecoderSettings settings = new DecoderSettings(
                vocabSize,
                hiddenSize,
                intermediateSize,
                layers,
                heads,
                keyValueHeads,
                headDim,
                Activation.SILU,
                context,
                1e-5,
                new Rope(10_000, null, headDim),
                true,
                0,
                SlidingWindow.NONE,
                null,
                0.02);
        return new LlamaConfig(LlamaType.LLAMA, settings, false, false);
    }

    /**
     * Reads the {@code config.json} of a Llama, a Mistral or a Qwen2. {@link LlamaType#keys} lists the keys.
     *
     * @throws IllegalArgumentException if a key is missing, malformed or not supported
     */
    public static LlamaConfig read(ConfigJson json) {
        return LlamaJson.read(json);
    }

    /** The contents of {@code config.json}, in the spelling that every version of transformers reads. */
    @Override
    public ConfigJson toJson() {
        return LlamaJson.write(this);
    }

    /** Whether {@code q_proj}, {@code k_proj} and {@code v_proj} have a bias. */
    boolean hasInputBias() {
        return attentionBias || type == LlamaType.QWEN2;
    }

    @Override
    public LanguageModel build(WeightSource weights) {
        return new Llama(this, weights);
    }
}
