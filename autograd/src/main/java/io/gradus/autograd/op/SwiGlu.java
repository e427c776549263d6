package io.gradus.autograd.op;

import io.gradus.autograd.Gradients;
import io.gradus.autograd.Operation;
import io.gradus.core.GradientBuffer;
import io.gradus.core.Tensor;

/**
 * {@code y = silu(g) ⊙ u} with {@code silu(g) = g·σ(g)}: the product in a gated linear unit (Shazeer 2020, eq. 6).
 *
 * <p>By the product rule, the gradient of each factor is the other times dy; with {@code silu′ = σ(1 + g(1 − σ))} from
 * {@link Silu},
 *
 * <pre>
 *   dg = dy ⊙ u ⊙ σ(g)(1 + g(1 − σ(g)))        du = dy ⊙ g·σ(g)
 * </pre>
 *
 * Both need σ(g), so one pass over the elements computes both. Neither {@code silu(g)} nor its gradient is stored.
 */
public final class SwiGlu extends Operation {
    private Tensor gate; // g, of the shape of y
    private Tensor up; // u, of the shape of y

    /** Takes g and u, of one shape. */
    @Override
    protected Tensor forward(Tensor... inputs) {
        gate = inputs[0];
        up = inputs[1];
        Tensor y = Results.of(gate.shape(), gate, up);
        gate.kernels().elementwise().swiglu(gate, up, y);
        return y;
    }

    @Override
    protected void backward(Tensor dy, Gradients gradients) {
        GradientBuffer dgate = gradients.buffer(0);
        GradientBuffer dup = gradients.buffer(1);
        dy.kernels().elementwise().swigluBackward(gate, up, dy, dgate, dup);
    }
}
