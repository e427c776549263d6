package io.gradus.nn.model.decoder;

import io.gradus.nn.WeightSource;
import io.gradus.nn.model.ConfigSize;
import io.gradus.nn.model.ConfigSize.Axis;
import io.gradus.nn.model.ConfigSize.Layers;
import io.gradus.nn.model.Head;
import io.gradus.nn.model.ModelConfig;
import io.gradus.nn.model.PretrainedModel;
import io.gradus.nn.model.WordEmbeddings;
import java.util.List;
import java.util.Optional;
import java.util.function.Predicate;
import java.util.function.UnaryOperator;

/** The configuration of a decoder: {@link DecoderSettings}, and what only its family has. Its tensors are named as Llama's. */
public interface DecoderConfig extends ModelConfig {
    /** The prefix of all tensors but that of the output layer. */
    String PREFIX = "model.";

    /** What all decoders have. */
    DecoderSettings settings();

    @Override
    default int vocabSize() {
        return settings().vocabSize();
    }

    @Override
    default int hiddenSize() {
        return settings().hiddenSize();
    }

    @Override
    default int numHiddenLayers() {
        return settings().numHiddenLayers();
    }

    @Override
    default int maxPositionEmbeddings() {
        return settings().maxPositionEmbeddings();
    }

    @Override
    default List<ConfigSize> sizes() {
        String table = "model.embed_tokens.weight";
        String layer = "model.layers.0.";
        int heads = settings().numAttentionHeads();
        int keyValueHeads = settings().numKeyValueHeads();
        return List.of(
                new Layers("num_hidden_layers", numHiddenLayers(), "model.layers."),
                new Axis("vocab_size", vocabSize(), table, 0),
                new Axis("hidden_size", hiddenSize(), table, 1),
                new Axis("intermediate_size", settings().intermediateSize(), layer + "mlp.gate_proj.weight", 0),
                heads("num_attention_heads", heads, layer + "self_attn.q_proj.weight"),
                heads("num_key_value_heads", keyValueHeads, layer + "self_attn.k_proj.weight"));
    }

    private ConfigSize heads(String key, int heads, String parameter) {
        int dim = settings().headDim();
        return new Axis(key + " × head_dim, " + heads + " × " + dim + ",", (long) heads * dim, parameter, 0);
    }

    @Override
    default Optional<WordEmbeddings> wordEmbeddings() {
        return Optional.of(new WordEmbeddings(
                "model.embed_tokens.weight", "lm_head.weight", settings().tieWordEmbeddings()));
    }

    @Override
    default PretrainedModel build(WeightSource weights, Head head) {
        return DecoderHeads.build(this, weights, head, "score");
    }

    /** Some checkpoints hold the network without its output layer; their names lack the prefix {@code model.}. */
    @Override
    default UnaryOperator<String> tensorNames(Predicate<String> inCheckpoint) {
        return inCheckpoint.test("embed_tokens.weight")
                ? name -> name.startsWith(PREFIX) ? name.substring(PREFIX.length()) : name
                : UnaryOperator.identity();
    }

    /** Old checkpoints hold the rotary frequencies, and some with tied embeddings hold the embedding table twice. */
    @Override
    default boolean ignoresTensor(String name) {
        return name.endsWith("rotary_emb.inv_freq")
                || (name.equals("lm_head.weight") && settings().tieWordEmbeddings());
    }
}
