package io.gradus.core.kernel;

import io.gradus.core.Tensor;

/** Conversion between dtypes. */
public interface CastKernels {

    /** {@code out = x}, rounded to nearest, ties to even; floats are rounded toward zero to I32. If the dtypes are equal it copies. */
    void cast(Tensor x, Tensor out);
}
