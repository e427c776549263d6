package io.gradus.train.export;

import static io.gradus.train.export.Architecture.require;

import io.gradus.nn.Activation;
import io.gradus.nn.model.gpt2.Gpt2Config;
import java.util.Map;

/** GPT-2 ({@code gpt2}). Its projections are stored as {@code [in, out]}, so they are transposed. */
record Gpt2Gguf(Gpt2Config config) implements Architecture {
    private static final LayerNames NAMES = new LayerNames(
            "transformer.h.",
            Map.of(
                    "ln_1", "attn_norm",
                    "attn.c_attn", "attn_qkv",
                    "attn.c_proj", "attn_output",
                    "ln_2", "ffn_norm",
                    "mlp.c_fc", "ffn_up",
                    "mlp.c_proj", "ffn_down"),
            Map.of(
                    "transformer.wte", "token_embd",
                    "transformer.wpe", "position_embd",
                    "transformer.ln_f", "output_norm",
                    "lm_head", "output"));

    Gpt2Gguf {
        String name = "gpt2";
        require(
                config.activationFunction() == Activation.GELU_TANH,
                name,
                "the activation is " + config.activationFunction());
        require(config.scaleAttnWeights(), name, "scale_attn_weights is false");
        require(!config.scaleAttnByInverseLayerIdx(), name, "scale_attn_by_inverse_layer_idx is true");
    }

    @Override
    public String name() {
        return "gpt2";
    }

    @Override
    public void describe(GgufMetadata metadata) {
        metadata.network("context_length", config.nPositions())
                .network("embedding_length", config.nEmbd())
                .network("block_count", config.nLayer())
                .network("feed_forward_length", config.nInner())
                .network("attention.head_count", config.nHead())
                .network("attention.layer_norm_epsilon", config.layerNormEpsilon())
                .network("vocab_size", config.vocabSize());
    }

    @Override
    public String tensorName(String parameter) {
        return NAMES.of(parameter);
    }

    @Override
    public Rows arranged(String parameter, Rows rows) {
        return parameter.contains(".c_") && parameter.endsWith(".weight") ? rows.transposed() : rows;
    }

    @Override
    public boolean isPrecise(String parameter) {
        return parameter.equals("transformer.wpe.weight");
    }
}
