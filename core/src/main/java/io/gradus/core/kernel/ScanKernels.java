package io.gradus.core.kernel;

import io.gradus.core.Tensor;

/** Kernels that visit the elements along one axis: cumulative sums and the largest elements. */
public interface ScanKernels {

    /**
     * Cumulative sums along an axis: {@code out[j] (+)= Σ x[i]} over all {@code i ≤ j}. Sums are kept in double and rounded
     * once per element.
     *
     * @param reverse sum over all {@code i ≥ j} instead, which is the gradient of a cumulative sum
     * @param out of the shape of {@code x}
     */
    void cumsum(Tensor x, int axis, boolean reverse, Tensor out, boolean accumulate);

    /**
     * The k largest elements along an axis, in descending order, and where they are. NaN counts as larger than any number, as
     * in PyTorch; of equal elements the one with the lower index comes first.
     *
     * @param values of the shape of {@code x}, but of length k along the axis, written
     * @param indices I32 of the shape of {@code values}, written: indices along the axis
     */
    void topk(Tensor x, int axis, Tensor values, Tensor indices);
}
