package io.gradus.train.delta;

import static org.assertj.core.api.Assertions.assertThat;

import io.gradus.core.DType;
import io.gradus.core.Shape;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

/** The parts of a model come in the order in which it uses them. */
class LayerNamesTest {
    private static List<TensorDelta> tensors(String... names) {
        return Stream.of(names)
                .map(name -> new TensorDelta(
                        name, name, DType.F32, DType.F32, Shape.of(1), "", "", new Change(1, 1, 1, 4, 9, 2), 0, 0))
                .toList();
    }

    @Test
    void embeddingsPrecedeLayersInOrder() {
        assertThat(LayerNames.byLayer(tensors(
                                "lm_head.weight",
                                "model.layers.10.mlp.up_proj.weight",
                                "model.layers.9.mlp.up_proj.weight",
                                "model.norm.weight",
                                "model.embed_tokens.weight"))
                        .sequencedKeySet())
                .containsExactly("embed_tokens", "layers.9", "layers.10", "lm_head", "norm");
    }

    @Test
    void tensorsOfALayerAreGrouped() {
        assertThat(LayerNames.byLayer(tensors("transformer.h.0.ln_1.weight", "transformer.h.0.ln_1.bias")))
                .containsExactly(java.util.Map.entry("h.0", new Change(2, 2, 2, 8, 18, 2)));
    }

    @Test
    void layerStacksStayTogether() {
        assertThat(LayerNames.byLayer(tensors(
                                "encoder.block.0.w.weight",
                                "decoder.block.0.w.weight",
                                "encoder.block.1.w.weight",
                                "decoder.block.1.w.weight"))
                        .sequencedKeySet())
                .containsExactly("decoder.block.0", "decoder.block.1", "encoder.block.0", "encoder.block.1");
    }

    @Test
    void nameWithoutLayersIsKept() {
        assertThat(LayerNames.byLayer(tensors("w", "bert.pooler.dense.weight", "a.99999999999.weight"))
                        .sequencedKeySet())
                .containsExactlyInAnyOrder("w", "pooler.dense", "a.99999999999");
        assertThat(LayerNames.byTensor(tensors("model.layers.1.w", "model.layers.0.w"))
                        .sequencedKeySet())
                .containsExactly("model.layers.0.w", "model.layers.1.w");
    }
}
