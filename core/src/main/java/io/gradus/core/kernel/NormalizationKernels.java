package io.gradus.core.kernel;

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
}
