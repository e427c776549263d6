package io.gradus.nn.model.decoder;

import io.gradus.autograd.Variable;
import io.gradus.nn.Dropout;
import io.gradus.nn.WeightSource;
import io.gradus.nn.model.Head;
import io.gradus.nn.model.Labels;
import io.gradus.nn.model.LanguageModel;
import io.gradus.nn.model.ModelConfig;

/**
 * A decoder that classifies each token, as transformers' {@code GenericForTokenClassification}: dropout and a linear layer read
 * its hidden state.
 */
public final class DecoderForTokenClassification extends DecoderClassifier {
    /** {@code classifier_dropout} where a configuration says nothing, in transformers. */
    private static final double DROPOUT = 0.1;

    /** A number above those of the dropout layers of all decoders. */
    private static final int DROPOUT_LAYER = (1 << 16) - 1;

    private final Dropout dropout;

    /**
     * @param decoder without a weight of an output layer
     * @param weights provides {@code weight}, {@code [labels, hidden_size]}, and {@code bias}
     */
    DecoderForTokenClassification(ModelConfig config, LanguageModel decoder, WeightSource weights, Labels labels) {
        super(config, decoder, new Head.TokenClassification(labels), labels.size(), weights.ofHead(), true);
        this.dropout = register("dropout", new Dropout(DROPOUT, 0, DROPOUT_LAYER));
    }

    /** The hidden states after dropout, {@code [B, T, hidden_size]}. */
    @Override
    public Variable hiddenStates(Input input) {
        return dropout.forward(tokenStates(input));
    }
}
