package io.gradus.train.export;

import static io.gradus.train.export.Architecture.require;

import io.gradus.data.serve.EmbedderSettings;
import io.gradus.data.serve.Pooling;
import io.gradus.nn.Activation;
import io.gradus.nn.model.bert.BertConfig;
import io.gradus.nn.model.bert.BertType;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;

/**
 * BERT ({@code bert}), which llama.cpp uses to embed texts: the network without the pooler and the head.
 *
 * @param pooling llama.cpp's number of the way in which the hidden states of a text become one; empty if the folder names none
 */
record BertGguf(BertConfig config, OptionalInt pooling) implements Architecture {
    private static final String NAME = "bert";

    private static final LayerNames NAMES = new LayerNames(
            "encoder.layer.",
            Map.of(
                    "attention.self.query", "attn_q",
                    "attention.self.key", "attn_k",
                    "attention.self.value", "attn_v",
                    "attention.output.dense", "attn_output",
                    "attention.output.LayerNorm", "attn_output_norm",
                    "intermediate.dense", "ffn_up",
                    "output.dense", "ffn_down",
                    "output.LayerNorm", "layer_output_norm"),
            Map.of(
                    "embeddings.word_embeddings", "token_embd",
                    "embeddings.position_embeddings", "position_embd",
                    "embeddings.token_type_embeddings", "token_types",
                    "embeddings.LayerNorm", "token_embd_norm"));

    /**
     * The network in a folder.
     *
     * @throws IOException if the files of {@code sentence-transformers} in it are malformed
     */
    static BertGguf of(BertConfig config, Path folder) throws IOException {
        require(
                config.type() == BertType.BERT,
                NAME,
                "model_type is " + config.type().modelType());
        require(
                config.hiddenAct() == Activation.GELU || config.hiddenAct() == Activation.GELU_TANH,
                NAME,
                "the activation is " + config.hiddenAct());
        return new BertGguf(config, pooling(folder));
    }

    private static OptionalInt pooling(Path folder) throws IOException {
        Optional<Pooling> pooling = EmbedderSettings.saved(folder).map(EmbedderSettings::pooling);
        if (pooling.isEmpty()) {
            return OptionalInt.empty();
        }
        return switch (pooling.get()) {
            case MEAN -> OptionalInt.of(1);
            case CLS -> OptionalInt.of(2);
            case MAX -> throw Architecture.unsupported("the pooling is max, which llama.cpp does not have");
        };
    }

    @Override
    public String name() {
        return NAME;
    }

    @Override
    public void describe(GgufMetadata metadata) {
        metadata.network("context_length", config.maxPositionEmbeddings())
                .network("embedding_length", config.hiddenSize())
                .network("block_count", config.numHiddenLayers())
                .network("feed_forward_length", config.intermediateSize())
                .network("attention.head_count", config.numAttentionHeads())
                .network("attention.layer_norm_epsilon", config.layerNormEps())
                .network("attention.causal", false)
                .network("vocab_size", config.vocabSize())
                .number("tokenizer.ggml.token_type_count", config.typeVocabSize());
        pooling.ifPresent(type -> metadata.network("pooling_type", type));
        metadata.remark("the file embeds texts: llama.cpp has no pooler and no head for this network");
    }

    @Override
    public String tensorName(String parameter) {
        return NAMES.of(parameter);
    }

    @Override
    public boolean isLeftOut(String parameter) {
        return parameter.startsWith("pooler.");
    }

    @Override
    public boolean isPrecise(String parameter) {
        return parameter.contains("position_embeddings") || parameter.contains("token_type_embeddings");
    }
}
