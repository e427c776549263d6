package io.gradus.autograd.op;

import io.gradus.autograd.Gradients;
import io.gradus.autograd.Operation;
import io.gradus.core.Philox;
import io.gradus.core.Tensor;

/**
 * Sets each element to 0 with probability p, and otherwise divides it by {@code 1 − p}, which preserves its expectation
 * (Srivastava et al. 2014).
 *
 * <p>{@code y = m ⊙ x} with a random mask m that does not depend on x, so {@code dx = m ⊙ dy}, the same function of dy.
 * The mask is a function of the key, and is computed again instead of kept.
 */
public final class Dropout extends Operation {
    private final double p;
    private final Philox.Key key;

    /**
     * Creates the operation.
     *
     * @param p at least 0 and below 1
     * @param key selects the random numbers; use a different key for each call
     */
    public Dropout(double p, Philox.Key key) {
        this.p = p;
        this.key = key;
    }

    @Override
    protected Tensor forward(Tensor... inputs) {
        Tensor x = inputs[0];
        Tensor y = x.emptyLike(x.shape());
        x.kernels().random().dropout(x, p, key, y, false);
        return y;
    }

    @Override
    protected void backward(Tensor dy, Gradients gradients) {
        gradients.write(0, (dx, add) -> dy.kernels().random().dropout(dy, p, key, dx, add));
    }
}
