package io.gradus.core.kernel;

import io.gradus.core.Tensor;

/** Softmax over the last axis. The row's maximum is subtracted first, so that nothing overflows. */
public interface SoftmaxKernels {

    /** {@code y = exp(x) / Σ exp(x)} in each row; a row of only −∞ gives NaN. {@code y} may be {@code x}. */
    void softmax(Tensor x, Tensor y);

    /** {@code dx (+)= y ⊙ (dy − Σ y ⊙ dy)}. */
    void softmaxBackward(Tensor y, Tensor dy, Tensor dx, boolean accumulate);

    /** {@code y = x − ln Σ exp(x)} in each row. {@code y} may be {@code x}. */
    void logSoftmax(Tensor x, Tensor y);

    /** {@code dx (+)= dy − exp(y)·Σ dy}. */
    void logSoftmaxBackward(Tensor y, Tensor dy, Tensor dx, boolean accumulate);
}
