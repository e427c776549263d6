package io.gradus.nn.model.decoder;

import io.gradus.nn.WeightSource;
import io.gradus.nn.model.ConfigJson;
import io.gradus.nn.model.Head;
import io.gradus.nn.model.Labels;
import io.gradus.nn.model.LanguageModel;
import io.gradus.nn.model.ModelConfig;
import io.gradus.nn.model.ModelFamily;
import io.gradus.nn.model.PretrainedModel;

/** The heads of all decoders. */
public final class DecoderHeads {
    /** The standard deviation of the weights of a new head. */
    static final double INITIALIZER_RANGE = 0.02;

    private DecoderHeads() {}

    /**
     * Builds a decoder with a head.
     *
     * @param config whose key {@code tie_word_embeddings} decides whether the output layer has a weight
     * @param tokenLayer the name of the linear layer that classifies tokens: {@code score}, or {@code classifier}
     */
    public static PretrainedModel build(ModelConfig config, WeightSource weights, Head head, String tokenLayer) {
        return switch (head) {
            case Head.LanguageModeling _ -> config.build(weights);
            case Head.None _ -> new BareDecoder(config, withoutOutputLayer(config, weights));
            case Head.SequenceClassification(Labels labels) ->
                new DecoderForSequenceClassification(config, withoutOutputLayer(config, weights), weights, labels);
            case Head.TokenClassification(Labels labels) ->
                new DecoderForTokenClassification(
                        config, withoutOutputLayer(config, weights), weights.in(tokenLayer), labels);
        };
    }

    /** A language model whose output layer shares the embedding table has no weight of its own for it. */
    private static LanguageModel withoutOutputLayer(ModelConfig config, WeightSource weights) {
        ConfigJson tied = config.toJson().set("tie_word_embeddings", true);
        return ModelFamily.of(tied).read(tied).build(weights);
    }
}
