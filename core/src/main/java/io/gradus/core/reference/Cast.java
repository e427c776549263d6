package io.gradus.core.reference;

import io.gradus.core.DType;
import io.gradus.core.Tensor;
import io.gradus.core.kernel.CastKernels;

/** Conversions between F64, I32 and U8, the dtypes of this device. */
final class Cast implements CastKernels {

    @Override
    public void cast(Tensor x, Tensor out) {
        requireSupported("cast", x);
        requireSupported("cast", out);
        Elements from = Elements.of(x);
        Elements to = Elements.of(out);
        for (long i = 0; i < out.size(); i++) {
            write(to, out.dtype(), i, read(from, x.dtype(), i));
        }
    }

    private static double read(Elements elements, DType dtype, long i) {
        return switch (dtype) {
            case I32 -> elements.getInt(i);
            case U8 -> elements.getByte(i);
            default -> elements.get(i);
        };
    }

    /** Writes an element; for integer dtypes the value is truncated and clamped to the range. */
    static void write(Elements elements, DType dtype, long i, double value) {
        switch (dtype) {
            case I32 -> elements.setInt(i, (int) value);
            case U8 -> elements.setByte(i, Math.clamp((int) value, 0, 255));
            default -> elements.set(i, value);
        }
    }

    /** @throws IllegalArgumentException if the dtype is not F64, I32 or U8 */
    static void requireSupported(String operation, Tensor tensor) {
        if (tensor.dtype() != DType.F64 && tensor.dtype() != DType.I32 && tensor.dtype() != DType.U8) {
            throw new IllegalArgumentException(operation + ": an operand is " + tensor.dtype() + " " + tensor.describe()
                    + "; the reference device supports only F64, I32 and U8");
        }
    }
}
