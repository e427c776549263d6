package io.gradus.train;

import io.gradus.autograd.CrossEntropyOptions;
import io.gradus.autograd.Reduction;
import io.gradus.autograd.Variable;
import io.gradus.data.Batches.Batch;
import io.gradus.nn.model.PretrainedModel;
import org.jspecify.annotations.Nullable;

/** The loss that a run minimizes. */
@FunctionalInterface
public interface LossFunction {

    /**
     * The loss of a batch, summed over its targets. The sum, because a mean of means would weight short batches as much as
     * long ones: gradients are divided by {@link Batch#counted()} after all batches of a step.
     *
     * @param hiddenStates {@code [B, T, hidden]}; {@code model.logits(hiddenStates)} are the logits
     * @return a scalar
     */
    Variable sum(PretrainedModel model, Variable hiddenStates, Batch batch);

    /**
     * The cross-entropy of the next token, in nats.
     *
     * @param chunkSize tokens whose logits exist at once; 0: an automatic choice; null: all tokens
     */
    static LossFunction crossEntropy(@Nullable Integer chunkSize) {
        CrossEntropyOptions sum = CrossEntropyOptions.of(Reduction.SUM);
        return chunkSize == null
                ? (model, hidden, batch) -> model.logits(hidden).crossEntropy(batch.targets(), sum)
                : (model, hidden, batch) -> model.crossEntropy(hidden, batch.targets(), sum, chunkSize);
    }
}
