package io.gradus.nn.model.gpt2;

import io.gradus.autograd.Variable;
import io.gradus.core.Shape;
import io.gradus.nn.Initializer;
import io.gradus.nn.Linear;
import io.gradus.nn.Module;
import io.gradus.nn.WeightSource;

/**
 * {@code y = x·W + b} on the last axis: {@code [.., in]} becomes {@code [.., out]}. W is {@code [in, out]}, as GPT-2's
 * checkpoints have it (Hugging Face calls it a convolution of width 1): the transpose of {@link Linear}'s.
 */
public final class Conv1D extends Module {
    private final Variable weight;
    private final Variable bias;

    /**
     * @param weights gives {@code weight} and {@code bias}
     * @param initializer of the weight; the bias starts at 0
     */
    public Conv1D(WeightSource weights, long in, long out, Initializer initializer) {
        this.weight = own(weights.parameter("weight", Shape.of(in, out), initializer));
        this.bias = own(weights.parameter("bias", Shape.of(out), Initializer.zeros()));
    }

    public Variable forward(Variable x) {
        return x.linear(weight, bias, false);
    }

    /** {@code [in, out]}. */
    public Variable weight() {
        return weight;
    }

    /** {@code [out]}. */
    public Variable bias() {
        return bias;
    }
}
