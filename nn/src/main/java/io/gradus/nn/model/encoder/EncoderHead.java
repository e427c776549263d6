package io.gradus.nn.model.encoder;

import io.gradus.autograd.Variable;
import io.gradus.core.Shape;
import io.gradus.core.Tensor;
import io.gradus.nn.Module;
import org.jspecify.annotations.Nullable;

/** What an {@link Encoder} computes from the hidden states of its tokens: the input of the output layer, and its weights. */
public abstract class EncoderHead extends Module {
    /** A head. */
    protected EncoderHead() {}

    /**
     * The input of the output layer.
     *
     * @param states of the tokens, {@code [B, T, hidden_size]}, or {@code [1, tokens, hidden_size]} if the texts share a row
     * @param texts of which these are the tokens
     * @return {@code [B, hidden_size]} for a classifier of sequences, else the shape of the states
     */
    protected abstract Variable features(Variable states, Texts texts);

    /** The weight of the output layer, {@code [scores, hidden_size]}. */
    protected abstract Variable weight();

    /** The bias of the output layer, {@code [scores]}, or null. */
    protected abstract @Nullable Variable bias();

    /** The hidden states of the first token of each row, {@code [B, hidden_size]}. */
    public static Variable firstToken(Variable states) {
        return states.slice(1, 0, 1)
                .reshape(states.shape().get(0), states.shape().last());
    }

    /**
     * The mean of the hidden states of each row, {@code [B, hidden_size]}; zeros for a row of padding.
     *
     * @param mask I32 {@code [B, T]}, 0 for padding; null if there is none
     */
    public static Variable mean(Variable states, @Nullable Tensor mask) {
        if (mask == null) {
            return states.mean(1);
        }
        Shape shape = states.shape();
        Variable counted = Variable.constant(mask.to(states.value().dtype())).reshape(shape.get(0), shape.get(1), 1);
        return states.multiply(counted).sum(1).divide(counted.sum(1).clamp(1, Double.POSITIVE_INFINITY));
    }
}
