package io.gradus.core.kernel;

import io.gradus.core.Tensor;

/** Elements converted from one dtype to another. */
public interface CastKernels {

    /** {@code out = x}, rounded to nearest, ties to even; float to I32 towards zero. Same dtype: a plain copy. */
    void cast(Tensor x, Tensor out);
}
