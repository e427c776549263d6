package io.gradus.nn;

import io.gradus.autograd.Variable;
import io.gradus.core.Shape;

/** Root-mean-square normalisation of the last axis (Zhang &amp; Sennrich 2019) with a trained scale. */
public final class RmsNorm extends Module {
    private final Variable weight;
    private final double eps;

    /**
     * @param weights gives {@code weight}, {@code [width]}, which starts at 1
     * @param eps added to the mean square
     */
    public RmsNorm(WeightSource weights, long width, double eps) {
        this.weight = own(weights.parameter("weight", Shape.of(width), Initializer.ones()));
        this.eps = eps;
    }

    public Variable forward(Variable x) {
        return x.rmsNorm(weight, eps);
    }
}
