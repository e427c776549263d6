package io.gradus.nn.model.decoder;

import io.gradus.autograd.Variable;
import io.gradus.nn.Dropout;
import io.gradus.nn.Initializer;
import io.gradus.nn.Linear;
import io.gradus.nn.WeightSource;
import io.gradus.nn.model.Head;
import io.gradus.nn.model.Labels;
import io.gradus.nn.model.LanguageModel;
import io.gradus.nn.model.ModelConfig;
import io.gradus.nn.model.PretrainedModel;

/**
 * A decoder that classifies each token, as transformers' {@code GenericForTokenClassification}: dropout and a linear layer read
 * its hidden state.
 */
public final class DecoderForTokenClassification extends PretrainedModel {
    /** {@code classifier_dropout} where a configuration says nothing, in transformers. */
    private static final double DROPOUT = 0.1;

    /** A number above those of the dropout layers of all decoders. */
    private static final int DROPOUT_LAYER = (1 << 16) - 1;

    private final ModelConfig config;
    private final Labels labels;
    private final LanguageModel decoder;
    private final Dropout dropout;
    private final Linear score;

    /**
     * @param decoder without a weight of an output layer
     * @param weights provides {@code weight}, {@code [labels, hidden_size]}, and {@code bias}
     */
    DecoderForTokenClassification(ModelConfig config, LanguageModel decoder, WeightSource weights, Labels labels) {
        this.config = config;
        this.labels = labels;
        this.decoder = register(decoder);
        this.dropout = register("dropout", new Dropout(DROPOUT, 0, DROPOUT_LAYER));
        this.score = register(new Linear(
                weights.ofHead(),
                config.hiddenSize(),
                labels.size(),
                true,
                Initializer.normal(DecoderHeads.INITIALIZER_RANGE)));
    }

    /** The hidden states after dropout, {@code [B, T, hidden_size]}. */
    @Override
    public Variable hiddenStates(Input input) {
        return dropout.forward(decoder.hiddenStates(input));
    }

    @Override
    public Variable logits(Variable hidden) {
        return score.forward(hidden);
    }

    @Override
    public ModelConfig config() {
        return config;
    }

    @Override
    public Head head() {
        return new Head.TokenClassification(labels);
    }

    @Override
    public void setActivationCheckpointing(boolean checkpointing) {
        decoder.setActivationCheckpointing(checkpointing);
    }
}
