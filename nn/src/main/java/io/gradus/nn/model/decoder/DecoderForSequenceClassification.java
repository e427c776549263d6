package io.gradus.nn.model.decoder;

import io.gradus.autograd.Variable;
import io.gradus.core.DType;
import io.gradus.core.MemoryCategory;
import io.gradus.core.Shape;
import io.gradus.core.Tensor;
import io.gradus.nn.WeightSource;
import io.gradus.nn.model.Head;
import io.gradus.nn.model.Labels;
import io.gradus.nn.model.LanguageModel;
import io.gradus.nn.model.ModelConfig;
import org.jspecify.annotations.Nullable;

/**
 * A decoder that classifies sequences, as transformers' {@code GenericForSequenceClassification}: a linear layer without bias reads
 * the last token that is not padding, which alone attends to the whole sequence.
 */
public final class DecoderForSequenceClassification extends DecoderClassifier {
    /**
     * @param decoder without a weight of an output layer
     * @param weights provides {@code score.weight}, {@code [labels, hidden_size]}
     */
    DecoderForSequenceClassification(ModelConfig config, LanguageModel decoder, WeightSource weights, Labels labels) {
        super(
                config,
                decoder,
                new Head.SequenceClassification(labels),
                labels.size(),
                weights.ofHead().in("score"),
                false);
    }

    /** The hidden state of the last token of each row that is not padding, {@code [B, hidden_size]}. */
    @Override
    public Variable hiddenStates(Input input) {
        Variable hidden = tokenStates(input);
        long rows = hidden.shape().get(0);
        long length = hidden.shape().get(1);
        return hidden.reshape(rows * length, hidden.shape().last())
                .embedding(lastTokens(input.ids(), input.attentionMask()), null);
    }

    /** The index of the last token of each row that is not padding, among the tokens of all rows: I32 {@code [B]}. */
    private static Tensor lastTokens(Tensor ids, @Nullable Tensor attentionMask) {
        int rows = Math.toIntExact(ids.shape().get(0));
        int length = Math.toIntExact(ids.shape().get(1));
        if (!ids.backend().hasElements()) {
            return Tensor.empty(ids.device(), DType.I32, Shape.of(rows), MemoryCategory.ACTIVATIONS);
        }
        int[] mask = attentionMask == null ? new int[0] : attentionMask.toInts();
        int[] last = new int[rows];
        for (int row = 0; row < rows; row++) {
            int token = length - 1;
            while (token > 0 && mask.length > 0 && mask[row * length + token] == 0) {
                token--;
            }
            last[row] = row * length + token;
        }
        return Tensor.of(ids.device(), last, rows);
    }
}
