package io.gradus.nn;

import io.gradus.autograd.Variable;
import io.gradus.core.Shape;
import io.gradus.core.Tensor;

/** A row of a table for each id: {@code [..]} becomes {@code [.., D]}. */
public final class Embedding extends Module {
    private final Variable weight;

    /**
     * @param weights gives {@code weight}, {@code [rows, width]}
     */
    public Embedding(WeightSource weights, long rows, long width, Initializer initializer) {
        this.weight = own(weights.parameter("weight", Shape.of(rows, width), initializer));
    }

    /**
     * @param ids I32 of any shape
     */
    public Variable forward(Tensor ids) {
        return weight.embedding(ids);
    }

    /** {@code [rows, width]}; a language model with tied embeddings also uses it as the output layer's. */
    public Variable weight() {
        return weight;
    }
}
