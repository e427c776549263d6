package io.gradus.nn.model.gemma;

import io.gradus.autograd.Variable;
import io.gradus.core.Shape;
import io.gradus.nn.Initializer;
import io.gradus.nn.Layer;
import io.gradus.nn.Module;
import io.gradus.nn.WeightSource;

/** An RMS norm whose scale is 1 plus the weight, so that weight decay pulls the scale to 1. */
final class GemmaRmsNorm extends Module implements Layer {
    private final Variable weight;
    private final double eps;

    /**
     * @param weights provides {@code weight}, {@code [width]}, initialized to 0
     * @param eps added to the mean square
     */
    GemmaRmsNorm(WeightSource weights, long width, double eps) {
        this.weight = register(weights.parameter("weight", Shape.of(width), Initializer.zeros()));
        this.eps = eps;
    }

    /**
     * @param x {@code [.., width]}
     * @return {@code [.., width]}
     */
    @Override
    public Variable forward(Variable x) {
        return x.rmsNorm(weight.add(1), eps);
    }

    @Override
    protected String extraRepr() {
        return weight.shape() + ", eps=" + eps;
    }
}
