package io.gradus.core.reference;

import io.gradus.core.DType;
import io.gradus.core.Tensor;
import io.gradus.core.kernel.CastKernels;
import io.gradus.core.kernel.Checks;

/** Between F64 and I32, the two dtypes of this device. */
final class Cast implements CastKernels {

    @Override
    public void cast(Tensor x, Tensor out) {
        requireSupported("cast", x);
        requireSupported("cast", out);
        Checks.sameDevice("cast", x, out);
        Checks.sameShape("cast", x, out);
        Elements from = Elements.of(x);
        Elements to = Elements.of(out);
        for (long i = 0; i < out.size(); i++) {
            if (out.dtype() == DType.I32) {
                to.setInt(i, x.dtype() == DType.I32 ? from.getInt(i) : (int) from.get(i));
            } else {
                to.set(i, x.dtype() == DType.I32 ? from.getInt(i) : from.get(i));
            }
        }
    }

    /** @throws IllegalArgumentException when the dtype is neither F64 nor I32 */
    static void requireSupported(String operation, Tensor tensor) {
        if (tensor.dtype() != DType.F64 && tensor.dtype() != DType.I32) {
            throw new IllegalArgumentException(operation + ": an operand is " + tensor.dtype() + " " + tensor.shape()
                    + "; the reference device has F64 and I32 only");
        }
    }
}
