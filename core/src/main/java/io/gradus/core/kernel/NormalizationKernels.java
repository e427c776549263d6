package io.gradus.core.kernel;

import io.gradus.core.GradientBuffer;
import io.gradus.core.Tensor;
import org.jspecify.annotations.Nullable;

/** Normalization of each row: the last axis has length D, and all axes before it form N rows. */
public interface NormalizationKernels {

    /**
     * Layer normalization (Ba, Kiros &amp; Hinton 2016): {@code y = (x − mean)·rstd·weight + bias}, with
     * {@code rstd = 1/√(variance + eps)} and the variance divided by D.
     *
     * @param weight {@code [D]}
     * @param bias {@code [D]} or null
     * @param mean {@code [N]}, written
     * @param rstd {@code [N]}, written
     */
    void layerNorm(Tensor x, Tensor weight, @Nullable Tensor bias, double eps, Tensor y, Tensor mean, Tensor rstd);

    /**
     * All gradients, with one visit to each row. With {@code ŵ = dy ⊙ weight} and {@code x̂ = (x − mean)·rstd}:
     * {@code dx (+)= rstd·(ŵ − mean(ŵ) − x̂·mean(ŵ ⊙ x̂))}, and over the rows {@code dweight (+)= Σ dy ⊙ x̂} and
     * {@code dbias (+)= Σ dy}.
     *
     * @param mean as written by {@link #layerNorm}; likewise {@code rstd}
     * @param dweight {@code [D]}
     * @param dbias {@code [D]}, or null if there is no bias
     */
    void layerNormBackward(
            Tensor dy,
            Tensor x,
            Tensor weight,
            Tensor mean,
            Tensor rstd,
            GradientBuffer dx,
            GradientBuffer dweight,
            @Nullable GradientBuffer dbias);

    /**
     * Root-mean-square normalization (Zhang &amp; Sennrich 2019, eq. 4): {@code y = x·rstd·weight} with
     * {@code rstd = 1/√(mean(x²) + eps)}.
     *
     * @param rstd {@code [N]}, written
     */
    void rmsNorm(Tensor x, Tensor weight, double eps, Tensor y, Tensor rstd);

    /**
     * Both gradients, with one visit to each row. With {@code ŵ = dy ⊙ weight} and {@code x̂ = x·rstd}:
     * {@code dx (+)= rstd·(ŵ − x̂·mean(ŵ ⊙ x̂))}, and over the rows {@code dweight (+)= Σ dy ⊙ x̂}.
     */
    void rmsNormBackward(Tensor dy, Tensor x, Tensor weight, Tensor rstd, GradientBuffer dx, GradientBuffer dweight);
}
