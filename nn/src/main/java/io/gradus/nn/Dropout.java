package io.gradus.nn;

import io.gradus.autograd.Autograd;
import io.gradus.autograd.Variable;
import io.gradus.core.Philox;

/**
 * In training mode, sets elements to 0 with probability p and scales the others by {@code 1/(1 − p)} (Srivastava et al. 2014);
 * the identity in evaluation mode. With a probability of 1, all elements are 0. Which elements are dropped depends only on the
 * seed, the layer's number and the number of the call; see {@link Module#seedDropout}.
 */
public final class Dropout extends Module implements Layer {
    private final double p;
    private final int layer;
    private long seed;
    private int calls;

    /**
     * A layer that takes seed and number from the default generator: see {@link WeightSource#manualSeed}.
     *
     * @param p from 0 to 1
     * @throws IllegalArgumentException if p is out of range
     */
    public Dropout(double p) {
        this(p, WeightSource.defaults().seed(), WeightSource.defaults().nextNumber());
    }

    /**
     * A layer with an explicit seed.
     *
     * @param p from 0 to 1
     * @param layer a number that no other dropout layer of the model has
     * @throws IllegalArgumentException if p is out of range
     */
    public Dropout(double p, long seed, int layer) {
        if (!(p >= 0 && p <= 1)) {
            throw new IllegalArgumentException("dropout: p is " + p + "; it must be from 0 to 1");
        }
        this.p = p;
        this.seed = seed;
        this.layer = layer;
    }

    @Override
    public Variable forward(Variable x) {
        return isIdentity() ? x : drop(x, key(nextCall()));
    }

    /** Whether nothing is dropped now: in evaluation mode, or with a probability of 0. */
    public boolean isIdentity() {
        return !isTraining() || p == 0;
    }

    /** Drops elements, in any mode. */
    Variable drop(Variable x, Philox.Key key) {
        return p == 1 ? x.multiply(0) : x.dropout(p, key);
    }

    /** The key of the random numbers of a call. */
    Philox.Key key(int call) {
        return new Philox.Key(seed, call, layer);
    }

    /** The number of this call; the same number when activation checkpointing recomputes it. */
    int nextCall() {
        return Autograd.once(() -> calls++);
    }

    void seed(long seed, int calls) {
        this.seed = seed;
        this.calls = calls;
    }

    @Override
    protected String extraRepr() {
        return "p=" + p;
    }
}
