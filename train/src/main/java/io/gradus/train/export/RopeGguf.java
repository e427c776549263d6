package io.gradus.train.export;

import static io.gradus.train.export.Architecture.require;

import io.gradus.nn.model.decoder.Rope;
import io.gradus.nn.model.decoder.RopeScaling;
import java.util.List;
import java.util.stream.DoubleStream;

/**
 * Rotary positions as llama.cpp knows them.
 *
 * @param architecture that has them
 * @param hasFactors whether it divides the frequencies by those in the tensor {@code rope_freqs.weight}
 */
record RopeGguf(String architecture, Rope rope, boolean hasFactors) {
    private static final double SHARPER = 0.1;
    private static final double TOLERANCE = 1e-6;

    RopeGguf {
        if (rope.scaling() instanceof RopeScaling.Yarn yarn) {
            require(yarn.truncate(), architecture, "rope_scaling.truncate is false");
            double usual = yarn.factor() <= 1 ? 1 : SHARPER * Math.log(yarn.factor()) + 1;
            require(
                    Math.abs(yarn.attentionFactor() - usual) < TOLERANCE,
                    architecture,
                    "the attention_factor of rope_scaling is " + yarn.attentionFactor());
        }
        require(hasFactors || !(rope.scaling() instanceof RopeScaling.Llama3), architecture, "rope_type is llama3");
    }

    void describe(GgufMetadata metadata) {
        metadata.network("rope.dimension_count", rope.dims()).network("rope.freq_base", rope.theta());
        switch (rope.scaling()) {
            case RopeScaling.Linear linear ->
                metadata.network("rope.scaling.type", "linear").network("rope.scaling.factor", linear.factor());
            case RopeScaling.Yarn yarn ->
                metadata.network("rope.scaling.type", "yarn")
                        .network("rope.scaling.factor", yarn.factor())
                        .network("rope.scaling.original_context_length", (int) yarn.originalMaxPositionEmbeddings())
                        .network("rope.scaling.yarn_beta_fast", yarn.betaFast())
                        .network("rope.scaling.yarn_beta_slow", yarn.betaSlow());
            case null, default -> {} // Llama3 is a tensor; Dynamic has no effect up to the context length
        }
    }

    /** The ratio of the frequencies before and after scaling, for each pair of elements, in {@code [head_dim/2]}. */
    List<GgufTensor> computed() {
        if (!(rope.scaling() instanceof RopeScaling.Llama3 scaling)) {
            return List.of();
        }
        double[] before = RopeScaling.unscaled(rope.theta(), rope.dims());
        double[] after = scaling.frequencies(rope.theta(), rope.dims());
        List<Float> factors = DoubleStream.iterate(0, i -> i < before.length, i -> i + 1)
                .mapToObj(i -> (float) (before[(int) i] / after[(int) i]))
                .toList();
        return List.of(new GgufTensor("rope_freqs.weight", GgufType.F32, Rows.of(factors)));
    }
}
