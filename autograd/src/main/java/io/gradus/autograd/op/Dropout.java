package io.gradus.autograd.op;

import io.gradus.autograd.Gradients;
import io.gradus.autograd.Operation;
import io.gradus.core.Philox;
import io.gradus.core.Tensor;

/**
 * Each element is 0 with probability p, and divided by {@code 1 − p} otherwise, so that its expectation stays (Srivastava et
 * al. 2014).
 *
 * <p>{@code y = m ⊙ x} with a random m that does not depend on x, so {@code dx = m ⊙ dy}: the same function of dy. The mask
 * is not kept: it is a function of the key, and made again.
 */
public final class Dropout extends Operation {
    private final double p;
    private final Philox.Key key;

    /**
     * @param p at least 0 and below 1
     * @param key which random numbers; a different one for each use
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
