package io.gradus.nn.model.decoder;

import io.gradus.autograd.Variable;
import io.gradus.nn.Initializer;
import io.gradus.nn.Linear;
import io.gradus.nn.WeightSource;
import io.gradus.nn.model.Head;
import io.gradus.nn.model.LanguageModel;
import io.gradus.nn.model.ModelConfig;
import io.gradus.nn.model.PretrainedModel;

/** A decoder whose output layer has a row for each label. */
abstract sealed class DecoderClassifier extends PretrainedModel
        permits DecoderForSequenceClassification, DecoderForTokenClassification {
    private final ModelConfig config;
    private final Head head;
    private final LanguageModel decoder;
    private final Linear score;

    /**
     * @param decoder without a weight of an output layer
     * @param weights provides {@code weight}, {@code [labels, hidden_size]}, and {@code bias} if the layer has one
     */
    DecoderClassifier(
            ModelConfig config, LanguageModel decoder, Head head, int labels, WeightSource weights, boolean bias) {
        this.config = config;
        this.head = head;
        this.decoder = register(decoder);
        this.score = register(new Linear(
                weights, config.hiddenSize(), labels, bias, Initializer.normal(DecoderHeads.INITIALIZER_RANGE)));
    }

    /** The hidden states of the tokens, {@code [B, T, hidden_size]}. */
    final Variable tokenStates(Input input) {
        return decoder.hiddenStates(input);
    }

    @Override
    public final Variable logits(Variable hidden) {
        return score.forward(hidden);
    }

    @Override
    public final ModelConfig config() {
        return config;
    }

    @Override
    public final Head head() {
        return head;
    }

    @Override
    public final void setActivationCheckpointing(boolean checkpointing) {
        decoder.setActivationCheckpointing(checkpointing);
    }
}
