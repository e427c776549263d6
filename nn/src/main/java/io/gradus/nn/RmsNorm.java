package io.gradus.nn;

import io.gradus.autograd.Variable;
import io.gradus.core.Shape;

/** Root-mean-square normalization over the last dimension (Zhang &amp; Sennrich 2019) with a learned scale. */
public final class RmsNorm extends Module implements Layer {
    private final Variable weight;
    private final double eps;

    /** A norm on the CPU with {@code eps} 2⁻²³, PyTorch's default for F32. */
    public RmsNorm(long width) {
        this(WeightSource.defaults(), width, Math.ulp(1f));
    }

    /**
     * A norm with weights from a source.
     *
     * @param weights provides {@code weight}, {@code [width]}, initialized to 1
     * @param eps added to the mean square
     */
    public RmsNorm(WeightSource weights, long width, double eps) {
        this.weight = register(weights.parameter("weight", Shape.of(width), Initializer.ones()));
        this.eps = eps;
    }

    /**
     * @param x {@code [.., width]}
     * @return {@code [.., width]}
     */
    @Override
    public Variable forward(Variable x) {
        return x.rmsNorm(weight, eps);
    }

    @Override
    protected String extraRepr() {
        return weight.shape() + ", eps=" + eps;
    }
}
