package io.gradus.core.kernel;

import io.gradus.core.Shape;
import io.gradus.core.Tensor;
import org.jspecify.annotations.Nullable;

/** Normalisation of each row (the last axis, of length D; all axes before it count as N rows). */
public interface NormalizationKernels {

    /**
     * Layer normalisation (Ba, Kiros &amp; Hinton 2016): {@code y = (x − mean)·rstd·weight + bias}, with
     * {@code rstd = 1/√(variance + eps)} and the variance divided by D.
     *
     * @param weight {@code [D]}
     * @param bias {@code [D]} or null
     * @param mean {@code [N]}, written
     * @param rstd {@code [N]}, written
     */
    void layerNorm(Tensor x, Tensor weight, @Nullable Tensor bias, double eps, Tensor y, Tensor mean, Tensor rstd);

    /**
     * All gradients in one visit of each row. With {@code ŵ = dy ⊙ weight} and {@code x̂ = (x − mean)·rstd}:
     * {@code dx (+)= rstd·(ŵ − mean(ŵ) − x̂·mean(ŵ ⊙ x̂))}, and over the rows {@code dweight (+)= Σ dy ⊙ x̂} and
     * {@code dbias (+)= Σ dy}.
     *
     * @param mean as {@link #layerNorm} wrote it; likewise {@code rstd}
     * @param accumulateX whether {@code dx} is added to; likewise for weight and bias
     * @param dweight {@code [D]}
     * @param dbias {@code [D]}, or null if there is no bias
     */
    void layerNormBackward(
            Tensor dy,
            Tensor x,
            Tensor weight,
            Tensor mean,
            Tensor rstd,
            Tensor dx,
            boolean accumulateX,
            Tensor dweight,
            boolean accumulateWeight,
            @Nullable Tensor dbias,
            boolean accumulateBias);

    /**
     * Root-mean-square normalisation (Zhang &amp; Sennrich 2019, eq. 4): {@code y = x·rstd·weight} with
     * {@code rstd = 1/√(mean(x²) + eps)}.
     *
     * @param rstd {@code [N]}, written
     */
    void rmsNorm(Tensor x, Tensor weight, double eps, Tensor y, Tensor rstd);

    /**
     * Both gradients in one visit of each row. With {@code ŵ = dy ⊙ weight} and {@code x̂ = x·rstd}:
     * {@code dx (+)= rstd·(ŵ − x̂·mean(ŵ ⊙ x̂))}, and over the rows {@code dweight (+)= Σ dy ⊙ x̂}.
     */
    void rmsNormBackward(
            Tensor dy,
            Tensor x,
            Tensor weight,
            Tensor rstd,
            Tensor dx,
            boolean accumulateX,
            Tensor dweight,
            boolean accumulateWeight);

    /** Checks {@code x} and {@code likeX} of one shape, weights of {@code [D]}, statistics of {@code [N]}. */
    static void check(String operation, Tensor x, Tensor likeX, Tensor[] weights, Tensor[] statistics) {
        Checks.computable(operation, x, likeX);
        Checks.computable(operation, x, weights);
        Checks.computable(operation, x, statistics);
        Checks.sameShape(operation, x, likeX);
        for (Tensor weight : weights) {
            Checks.shape(operation, weight, Shape.of(x.shape().last()));
        }
        for (Tensor statistic : statistics) {
            Checks.shape(operation, statistic, Shape.of(x.shape().rows()));
        }
    }

    /** The checks that every backward pass begins with; a mean and a bias are layer normalisation's. */
    static void checkBackward(
            String operation,
            Tensor dy,
            Tensor x,
            Tensor weight,
            @Nullable Tensor mean,
            Tensor rstd,
            Tensor dx,
            Tensor dweight,
            @Nullable Tensor dbias) {
        Tensor[] weights = dbias == null ? new Tensor[] {weight, dweight} : new Tensor[] {weight, dweight, dbias};
        check(operation, x, dy, weights, mean == null ? new Tensor[] {rstd} : new Tensor[] {mean, rstd});
        check(operation, x, dx, new Tensor[0], new Tensor[0]);
    }
}
