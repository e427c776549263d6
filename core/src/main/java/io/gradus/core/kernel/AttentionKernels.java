package io.gradus.core.kernel;

import io.gradus.core.AttentionOptions;
import io.gradus.core.GradientBuffer;
import io.gradus.core.Tensor;

/**
 * Scaled dot-product attention (Vaswani et al. 2017, eq. 1) on the packed layout, with grouped key-value heads (Ainslie et
 * al. 2023): query head h reads key-value head {@code h / (H / G)}.
 */
public interface AttentionKernels {

    /**
     * {@code out = softmax(scale·q·kᵀ)·v} for each batch and head; zeros where a query attends to no key. A softcap c replaces each
     * score s by {@code c·tanh(s/c)}. A non-finite value, and without a softcap a non-finite key, yields NaN for every query that
     * attends to it, and possibly for others in the same batch and head. With a window, time is proportional to
     * {@code T·(window + a constant)}. Operands of products, such as the weights of values, may be rounded as in a matrix product.
     *
     * @param q {@code [B, T, H, D]}
     * @param k {@code [B, S, G, D]}, where G divides H
     * @param v {@code [B, S, G, D]}
     * @param out {@code [B, T, H, D]}, written
     * @param logSumExp {@code [B, H, T]}, written: {@code ln Σ exp(score)} over the keys attended to, −∞ if
     *     there are none; for the backward pass
     */
    void forward(Tensor q, Tensor k, Tensor v, AttentionOptions settings, Tensor out, Tensor logSumExp);

    /**
     * The gradients of all three inputs. With P the softmax's result, recomputed from {@code logSumExp}:
     * {@code dV = Pᵀ·dO}, {@code dP = dO·Vᵀ}, {@code dS = P ⊙ (dP − Σ dO ⊙ O)}, {@code dQ = scale·dS·K},
     * {@code dK = scale·dSᵀ·Q} (Dao et al. 2022, appendix B.2). With a softcap, dS also has the factor
     * {@code 1 − tanh²} of each score.
     */
    void backward(
            Tensor q,
            Tensor k,
            Tensor v,
            AttentionOptions settings,
            Tensor out,
            Tensor logSumExp,
            Tensor dout,
            GradientBuffer dq,
            GradientBuffer dk,
            GradientBuffer dv);
}
