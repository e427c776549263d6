package io.gradus.nn.model.gpt2;

import io.gradus.autograd.Variable;
import io.gradus.core.Shape;
import io.gradus.nn.Initializer;
import io.gradus.nn.Layer;
import io.gradus.nn.Module;
import io.gradus.nn.WeightSource;

/**
 * {@code y = x·W + b} on the last dimension: {@code [.., in]} becomes {@code [.., out]}. W is {@code [in, out]}, the transpose
 * of {@link io.gradus.nn.Linear}'s: GPT-2's checkpoints store it like this. (Hugging Face calls it a convolution of width 1.)
 */
public final class Conv1D extends Module implements Layer {
    private final Variable weight;
    private final Variable bias;

    /**
     * @param weights provides {@code weight}, {@code [in, out]}, and {@code bias}, {@code [out]}
     * @param initializer of the weight; the bias is initialized to 0
     */
    public Conv1D(WeightSource weights, long in, long out, Initializer initializer) {
        this.weight = register(weights.parameter("weight", Shape.of(in, out), initializer));
        this.bias = register(weights.parameter("bias", Shape.of(out), Initializer.zeros()));
    }

    /**
     * @param x {@code [.., in]}
     * @return {@code [.., out]}
     */
    @Override
    public Variable forward(Variable x) {
        return x.linear(weight, bias, false);
    }

    /** The weight, {@code [in, out]}. */
    public Variable weight() {
        return weight;
    }

    /** The bias, {@code [out]}. */
    public Variable bias() {
        return bias;
    }

    @Override
    protected String extraRepr() {
        return "nf=" + weight.shape().get(1) + ", nx=" + weight.shape().get(0);
    }
}
