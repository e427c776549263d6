package io.gradus.nn;

import io.gradus.autograd.Variable;
import io.gradus.core.Shape;
import org.jspecify.annotations.Nullable;

/** {@code y = x·Wᵀ + b} on the last axis: {@code [.., in]} becomes {@code [.., out]}. W is {@code [out, in]}, as PyTorch has it. */
public final class Linear extends Module {
    private final Variable weight;
    private final @Nullable Variable bias;

    /**
     * @param weights gives {@code weight} and, with a bias, {@code bias}
     * @param initializer of the weight; the bias starts at 0
     */
    public Linear(WeightSource weights, long in, long out, boolean bias, Initializer initializer) {
        this.weight = own(weights.parameter("weight", Shape.of(out, in), initializer));
        this.bias = bias ? own(weights.parameter("bias", Shape.of(out), Initializer.zeros())) : null;
    }

    public Variable forward(Variable x) {
        return x.linear(weight, bias);
    }

    /** {@code [out, in]}. */
    public Variable weight() {
        return weight;
    }

    /** {@code [out]}, or null. */
    public @Nullable Variable bias() {
        return bias;
    }
}
