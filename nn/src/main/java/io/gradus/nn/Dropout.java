package io.gradus.nn;

import io.gradus.autograd.Autograd;
import io.gradus.autograd.Variable;
import io.gradus.core.Philox;

/**
 * Sets elements to zero with probability p while training, and scales the others by 1/(1 − p) (Srivastava et al. 2014); the
 * identity otherwise. Which ones depends on the seed, the layer's place and the number of its call, and on nothing else.
 */
public final class Dropout extends Module {
    private final double p;
    private final long seed;
    private final int place;
    private int calls;

    /**
     * @param p from 0 to below 1
     * @param place a number that no other dropout layer of the model has
     * @throws IllegalArgumentException when p is out of its range
     */
    public Dropout(double p, long seed, int place) {
        if (!(p >= 0 && p < 1)) {
            throw new IllegalArgumentException("dropout: p is " + p + "; it must be at least 0 and below 1");
        }
        this.p = p;
        this.seed = seed;
        this.place = place;
    }

    public Variable forward(Variable x) {
        return isTraining() && p > 0 ? x.dropout(p, new Philox.Key(seed, call(), place)) : x;
    }

    /** The number of this call; the same again when a checkpointed block is computed a second time. */
    private int call() {
        return Autograd.once(() -> calls++);
    }

    /** Continues as if the layer had been called so many times; for resuming a run. */
    public void setCalls(int calls) {
        this.calls = calls;
    }
}
