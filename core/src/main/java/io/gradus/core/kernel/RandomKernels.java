package io.gradus.core.kernel;

import io.gradus.core.Philox;
import io.gradus.core.Tensor;

/**
 * Random elements. Element i depends on the key and on i alone: block {@code i / 4} of {@link Philox}, word {@code i % 4},
 * so every backend, in any number of threads, makes the same ones.
 */
public interface RandomKernels {

    /**
     * Uniform in {@code [low, high)}: {@code low + (high − low)·u} with u of 24 bits, {@link Philox#uniform}. From 0 to 1 it
     * is exact; in other ranges F32 may round the largest numbers to {@code high}.
     */
    void uniform(Tensor out, double low, double high, Philox.Key key);

    /** Normal: elements 2j and 2j + 1 are the cosine and sine of one Box–Muller pair, {@link Philox#normalPair}. */
    void normal(Tensor out, double mean, double standardDeviation, Philox.Key key);

    /**
     * {@code out (+)= x / (1 − p)} where the element's uniform number is at least p, else 0 (Srivastava et al. 2014, scaled
     * while training). Its own gradient, with dy for x.
     */
    void dropout(Tensor x, double p, Philox.Key key, Tensor out, boolean accumulate);
}
