package io.gradus.nn;

import io.gradus.autograd.Variable;
import io.gradus.core.Shape;
import io.gradus.core.Tensor;
import org.jspecify.annotations.Nullable;

/** A table with a row for each id: ids {@code [..]} become {@code [.., width]}. */
public final class Embedding extends Module {
    private final Variable weight;
    private final @Nullable Integer paddingIndex;

    /** A table on the CPU, initialized like {@code torch.nn.Embedding}: standard normal. See {@link WeightSource#manualSeed}. */
    public Embedding(long rows, long width) {
        this(WeightSource.defaults(), rows, width, Initializer.normal(1));
    }

    /**
     * A table with weights from a source.
     *
     * @param weights provides {@code weight}, {@code [rows, width]}
     */
    public Embedding(WeightSource weights, long rows, long width, Initializer initializer) {
        this(weights, rows, width, initializer, null);
    }

    /**
     * A table with weights from a source, in which one row is not trained.
     *
     * @param weights provides {@code weight}, {@code [rows, width]}
     * @param paddingIndex the row that gets no gradient from a lookup, or null
     */
    public Embedding(
            WeightSource weights, long rows, long width, Initializer initializer, @Nullable Integer paddingIndex) {
        this.paddingIndex = paddingIndex;
        this.weight = register(weights.parameter("weight", Shape.of(rows, width), initializer));
    }

    /**
     * @param ids I32 of any shape, each in 0 … rows − 1
     * @return {@code [ids…, width]}
     */
    public Variable forward(Tensor ids) {
        return weight.embedding(ids, paddingIndex);
    }

    /** The table, {@code [rows, width]}. A language model with tied embeddings also uses it in the output layer. */
    public Variable weight() {
        return weight;
    }

    @Override
    protected String extraRepr() {
        String padding = paddingIndex == null ? "" : ", padding_idx=" + paddingIndex;
        return weight.shape().get(0) + ", " + weight.shape().get(1) + padding;
    }
}
