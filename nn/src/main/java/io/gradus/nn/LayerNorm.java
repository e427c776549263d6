package io.gradus.nn;

import io.gradus.autograd.Variable;
import io.gradus.core.Shape;
import org.jspecify.annotations.Nullable;

/** Layer normalization over the last dimension (Ba, Kiros &amp; Hinton 2016) with a learned scale and, usually, shift. */
public final class LayerNorm extends Module implements Layer {
    private final Variable weight;
    private final @Nullable Variable bias;
    private final double eps;

    /** A norm on the CPU with {@code eps} 1e-5, PyTorch's default. */
    public LayerNorm(long width) {
        this(WeightSource.defaults(), width, 1e-5);
    }

    /**
     * A norm with weights from a source.
     *
     * @param weights provides {@code weight} and {@code bias}, {@code [width]}, initialized to 1 and 0
     * @param eps added to the variance
     */
    public LayerNorm(WeightSource weights, long width, double eps) {
        this(weights, width, eps, true);
    }

    /**
     * A norm with or without a shift.
     *
     * @param weights provides {@code weight} and, with a bias, {@code bias}
     * @param eps added to the variance
     * @param bias whether there is a shift
     */
    public LayerNorm(WeightSource weights, long width, double eps, boolean bias) {
        this.weight = register(weights.parameter("weight", Shape.of(width), Initializer.ones()));
        this.bias = bias ? register(weights.parameter("bias", Shape.of(width), Initializer.zeros())) : null;
        this.eps = eps;
    }

    /**
     * @param x {@code [.., width]}
     * @return {@code [.., width]}
     */
    @Override
    public Variable forward(Variable x) {
        return x.layerNorm(weight, bias, eps);
    }

    @Override
    protected String extraRepr() {
        return weight.shape() + ", eps=" + eps + (bias == null ? ", bias=False" : "");
    }
}
