package io.gradus.autograd.op;

import io.gradus.autograd.Gradients;
import io.gradus.autograd.Operation;
import io.gradus.core.AttentionOptions;
import io.gradus.core.GradientBuffer;
import io.gradus.core.Shape;
import io.gradus.core.ShapeException;
import io.gradus.core.Tensor;

/**
 * Scaled dot-product attention (Vaswani et al. 2017, eq. 1), for each head:
 *
 * <pre>
 *   S = scale·Q·Kᵀ        P = softmax(S), row by row        O = P·V
 * </pre>
 *
 * <p>In the backward pass, by the rules of {@link MatMul} and {@link Softmax}:
 *
 * <pre>
 *   dV = Pᵀ·dO        dP = dO·Vᵀ        dS = P ⊙ (dP − rowsum(P ⊙ dP))
 *   dQ = scale·dS·K                     dK = scale·dSᵀ·Q
 * </pre>
 *
 * <p>With a softcap c, S is {@code c·tanh(S′/c)} of {@code S′ = scale·Q·Kᵀ}; dS then gets the factor
 * {@code ∂S/∂S′ = 1 − tanh²(S′/c)} before dQ and dK are computed.
 *
 * <p>P has an element for each pair of tokens and is not kept: it is {@code exp(S − L)} with L the row's
 * {@code ln Σ e^S}, one number per query. Also, {@code rowsum(P ⊙ dP) = rowsum(O ⊙ dO)}, since
 * {@code Σₛ Pₜₛ Σ_d dOₜ_d Vₛ_d = Σ_d dOₜ_d Oₜ_d} (Dao et al. 2022, appendix B.2). The gradient of a key-value head that
 * several query heads read is the sum over those heads.
 */
public final class Attention extends Operation {
    private final AttentionOptions options;
    private Tensor q; // [B, T, H, D]
    private Tensor k; // [B, S, G, D]
    private Tensor v; // [B, S, G, D]
    private Tensor out; // [B, T, H, D]
    private Tensor logSumExp; // [B, H, T], L of each query

    /** Creates the operation. */
    public Attention(AttentionOptions options) {
        this.options = options;
    }

    /** Takes queries {@code [B, T, H, D]}, keys and values {@code [B, S, G, D]}. */
    @Override
    protected Tensor forward(Tensor... inputs) {
        q = inputs[0];
        k = inputs[1];
        v = inputs[2];
        Shape shape = q.shape();
        if (shape.rank() != 4) {
            throw new ShapeException("attention", "queries must be [B, T, H, D]", "reshape the projections", q, k);
        }
        out = q.emptyLike(shape);
        logSumExp = Results.exact(q, Shape.of(shape.get(0), shape.get(2), shape.get(1)));
        q.kernels().attention().forward(q, k, v, options, out, logSumExp);
        return out;
    }

    @Override
    protected void backward(Tensor dy, Gradients gradients) {
        GradientBuffer dq = gradients.buffer(0);
        GradientBuffer dk = gradients.buffer(1);
        GradientBuffer dv = gradients.buffer(2);
        dy.kernels().attention().backward(q, k, v, options, out, logSumExp, dy, dq, dk, dv);
    }

    @Override
    protected void release() {
        logSumExp.release();
    }
}
