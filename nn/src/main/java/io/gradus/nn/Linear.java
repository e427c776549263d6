package io.gradus.nn;

import io.gradus.autograd.Variable;
import io.gradus.core.Shape;
import org.jspecify.annotations.Nullable;

/**
 * {@code y = x·Wᵀ + b} on the last dimension: {@code [.., in]} becomes {@code [.., out]}. The weight W is {@code [out, in]},
 * as in PyTorch.
 *
 * {@snippet :
 * Linear layer = new Linear(8, 4);
 * Variable x = Variable.constant(Tensor.of(new float[3 * 8], 3, 8));
 * Variable y = layer.forward(x); // [3, 4]
 * }
 */
public final class Linear extends Module implements Layer {
    private final Variable weight;
    private final @Nullable Variable bias;

    /** A layer with a bias, on the CPU, initialized like {@code torch.nn.Linear}: see {@link WeightSource#manualSeed}. */
    public Linear(long in, long out) {
        this(WeightSource.defaults(), in, out, true);
    }

    /** A layer with or without a bias, on the CPU, initialized like {@code torch.nn.Linear}. */
    public Linear(long in, long out, boolean bias) {
        this(WeightSource.defaults(), in, out, bias);
    }

    /**
     * A layer initialized like {@code torch.nn.Linear}: weight and bias are uniform in {@code ±1/√in}. (PyTorch calls it
     * {@code kaiming_uniform_} with {@code a = √5}, which has this bound.)
     *
     * @param weights provides {@code weight} and, with a bias, {@code bias}
     */
    public Linear(WeightSource weights, long in, long out, boolean bias) {
        this(weights, in, out, bias, Initializer.fanInUniform(), Initializer.uniform(1 / Math.sqrt(in)));
    }

    /**
     * A layer with another initialization of the weight and a bias of 0.
     *
     * @param weights provides {@code weight} and, with a bias, {@code bias}
     */
    public Linear(WeightSource weights, long in, long out, boolean bias, Initializer initializer) {
        this(weights, in, out, bias, initializer, Initializer.zeros());
    }

    private Linear(
            WeightSource weights,
            long in,
            long out,
            boolean bias,
            Initializer initializer,
            Initializer biasInitializer) {
        this.weight = register(weights.parameter("weight", Shape.of(out, in), initializer));
        this.bias = bias ? register(weights.parameter("bias", Shape.of(out), biasInitializer)) : null;
    }

    /**
     * @param x {@code [.., in]}
     * @return {@code [.., out]}
     */
    @Override
    public Variable forward(Variable x) {
        return x.linear(weight, bias);
    }

    /** The weight, {@code [out, in]}. */
    public Variable weight() {
        return weight;
    }

    /** The bias, {@code [out]}, or null. */
    public @Nullable Variable bias() {
        return bias;
    }

    @Override
    protected String extraRepr() {
        return "in_features=" + weight.shape().get(1) + ", out_features="
                + weight.shape().get(0) + ", bias=" + (bias != null);
    }
}
