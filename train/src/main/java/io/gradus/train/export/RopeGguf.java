package io.gradus.train.export;

import static io.gradus.train.export.Architecture.require;

import io.gradus.nn.model.decoder.Rope;
import io.gradus.nn.model.decoder.RopeScaling;
import java.util.List;
import java.util.stream.DoubleStream;
import java.util.stream.IntStream;

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
        require(
                architecture.equals("phi3") || !(rope.scaling() instanceof RopeScaling.LongRope),
                architecture,
                "rope_type is longrope");
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
            case RopeScaling.LongRope longRope -> {
                metadata.network("rope.scaling.original_context_length", (int) longRope.originalMaxPositionEmbeddings())
                        .network("rope.scaling.attn_factor", longRope.attentionFactor());
                metadata.remark(
                        "llama.cpp uses the rotary positions of long texts also for short ones if its context is longer"
                                + " than " + longRope.originalMaxPositionEmbeddings() + " tokens");
            }
            case null, default -> {} // Llama3 is a tensor; Dynamic has no effect up to the context length
        }
    }

    /** By what each pair of elements has its frequency divided, in {@code [dims/2]}. */
    List<GgufTensor> computed() {
        return switch (rope.scaling()) {
            case RopeScaling.Llama3 llama3 -> {
                double[] before = RopeScaling.unscaled(rope.theta(), rope.dims());
                double[] after = llama3.frequencies(rope.theta(), rope.dims());
                yield List.of(factors(
                        "rope_freqs", IntStream.range(0, before.length).mapToDouble(i -> before[i] / after[i])));
            }
            case RopeScaling.LongRope longRope ->
                List.of(
                        factors(
                                "rope_factors_long",
                                longRope.longFactor().stream().mapToDouble(factor -> factor)),
                        factors(
                                "rope_factors_short",
                                longRope.shortFactor().stream().mapToDouble(factor -> factor)));
            case null, default -> List.of();
        };
    }

    private static GgufTensor factors(String name, DoubleStream factors) {
        List<Float> all = factors.mapToObj(factor -> (float) factor).toList();
        return new GgufTensor(name + ".weight", GgufType.F32, Rows.of(all));
    }
}
