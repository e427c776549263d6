package io.gradus.core.kernel;

import io.gradus.core.Philox;
import io.gradus.core.Tensor;

/**
 * Random tensors. Element i depends only on the key and on i: it is word {@code i % 4} of {@link Philox} block {@code i / 4}. So
 * all backends generate the same numbers, with any number of threads.
 */
public interface RandomKernels {

    /**
     * Uniform in {@code [low, high)}: {@code low + (high − low)·u} with a 24-bit u, {@link Philox#uniform}. Exact from 0 to
     * 1; in other ranges F32 may round the largest numbers to {@code high}.
     */
    void uniform(Tensor out, double low, double high, Philox.Key key);

    /** Normal: elements 2j and 2j + 1 are the cosine and sine of one Box–Muller pair, {@link Philox#normalPair}. */
    void normal(Tensor out, double mean, double standardDeviation, Philox.Key key);

    /**
     * {@code out (+)= x / (1 − p)} where the element's uniform number is at least p, else 0 (Srivastava et al. 2014, scaled
     * during training). With dy for x it computes its own gradient.
     */
    void dropout(Tensor x, double p, Philox.Key key, Tensor out, boolean accumulate);
}
