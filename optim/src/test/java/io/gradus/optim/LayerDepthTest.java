package io.gradus.optim;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.gradus.autograd.Variable;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Depths from the parameter names of Hugging Face models. */
class LayerDepthTest {

    @ParameterizedTest
    @CsvSource({
        "model.embed_tokens.weight, 0",
        "model.layers.0.self_attn.q_proj.weight, 1",
        "model.layers.11.mlp.up_proj.weight, 12",
        "model.norm.weight, 13",
        "lm_head.weight, 13",
        "transformer.wte.weight, 0",
        "wpe.weight, 0",
        "transformer.h.3.attn.c_attn.bias, 4",
        "h.0.ln_1.weight, 1",
        "transformer.ln_f.weight, 13",
        "bert.embeddings.LayerNorm.weight, 0",
        "bert.encoder.layer.2.output.dense.weight, 3",
        "bert.pooler.dense.weight, 13",
        "layers.1.weight, 2",
        "encoder.weight, 0",
        "rnns.1.weight_hh_l0, 2",
        "decoder.bias, 13",
        "classifier.layersize, 13"
    })
    void depthFollowsFromTheName(String name, int depth) {
        assertThat(new LayerDepth(12).applyAsInt(name)).isEqualTo(depth);
    }

    @Test
    void blocksAreCounted() {
        List<Variable> parameters = Stream.of("model.embed_tokens.weight", "model.layers.0.w", "model.layers.10.w")
                .map(name -> TestParameters.parameter(name, 1))
                .toList();
        assertThat(LayerDepth.of(parameters)).isEqualTo(new LayerDepth(11));
        assertThat(LayerDepth.of(parameters).top()).isEqualTo(12);
    }

    @Test
    void namesWithoutBlockNumberAreRejected() {
        assertThatThrownBy(() -> LayerDepth.of(List.of(TestParameters.parameter("fc.weight", 1))))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("no parameter name contains a block number")
                .hasMessageContaining("fc.weight");
    }
}
