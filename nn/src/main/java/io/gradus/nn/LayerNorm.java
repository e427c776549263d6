package io.gradus.nn;

import io.gradus.autograd.Variable;
import io.gradus.core.Shape;

/** Layer normalisation of the last axis (Ba, Kiros &amp; Hinton 2016) with a trained scale and shift. */
public final class LayerNorm extends Module {
    private final Variable weight;
    private final Variable bias;
    private final double eps;

    /**
     * @param weights gives {@code weight} and {@code bias}, {@code [width]}, which start at 1 and 0
     * @param eps added to the variance
     */
    public LayerNorm(WeightSource weights, long width, double eps) {
        this.weight = own(weights.parameter("weight", Shape.of(width), Initializer.ones()));
        this.bias = own(weights.parameter("bias", Shape.of(width), Initializer.zeros()));
        this.eps = eps;
    }

    public Variable forward(Variable x) {
        return x.layerNorm(weight, bias, eps);
    }
}
