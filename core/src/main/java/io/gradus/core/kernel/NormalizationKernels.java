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

    /** {@code dx (+)= rstd·(ŵ − mean(ŵ) − x̂·mean(ŵ ⊙ x̂))} with {@code ŵ = dy ⊙ weight} and {@code x̂ = (x − mean)·rstd}. */
    void layerNormBackward(Tensor dy, Tensor x, Tensor weight, Tensor mean, Tensor rstd, Tensor dx, boolean accumulate);

    /** {@code dweight (+)= Σ dy ⊙ x̂} over the rows. */
    void layerNormBackwardWeight(Tensor dy, Tensor x, Tensor mean, Tensor rstd, Tensor dweight, boolean accumulate);

    /**
     * Root-mean-square normalisation (Zhang &amp; Sennrich 2019, eq. 4): {@code y = x·rstd·weight} with
     * {@code rstd = 1/√(mean(x²) + eps)}.
     *
     * @param rstd {@code [N]}, written
     */
    void rmsNorm(Tensor x, Tensor weight, double eps, Tensor y, Tensor rstd);

    /** {@code dx (+)= rstd·(ŵ − x̂·mean(ŵ ⊙ x̂))} with {@code ŵ = dy ⊙ weight} and {@code x̂ = x·rstd}. */
    void rmsNormBackward(Tensor dy, Tensor x, Tensor weight, Tensor rstd, Tensor dx, boolean accumulate);

    /** {@code dweight (+)= Σ dy ⊙ x·rstd} over the rows. */
    void rmsNormBackwardWeight(Tensor dy, Tensor x, Tensor rstd, Tensor dweight, boolean accumulate);

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
}
