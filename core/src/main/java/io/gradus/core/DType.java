package io.gradus.core;

/** The type of a tensor's elements. Kernels compute in {@link #F32}; the 16-bit floats are storage formats. */
public enum DType {
    /** IEEE 754 single precision. */
    F32(4, true),
    /** bfloat16, the upper half of a single: 8 bits of exponent, 7 of mantissa. */
    BF16(2, true),
    /** IEEE 754 half precision: 5 bits of exponent, 10 of mantissa. */
    F16(2, true),
    /** Two's complement: token ids, positions, masks. */
    I32(4, false),
    /** Unsigned bytes, 0 to 255: codes of quantized optimizer state. */
    U8(1, false),
    /** IEEE 754 double precision: only the {@linkplain Device#reference() reference device} computes in it. */
    F64(8, true);

    private final int bytes;
    private final boolean floating;

    DType(int bytes, boolean floating) {
        this.bytes = bytes;
        this.floating = floating;
    }

    /** Bytes per element. */
    public int bytes() {
        return bytes;
    }

    public boolean isFloating() {
        return floating;
    }

    /** Whether this is a 16-bit float, {@link #BF16} or {@link #F16}. */
    public boolean isHalf() {
        return this == BF16 || this == F16;
    }

    /** The dtype that kernels compute in for elements of this dtype: {@link #F32} for 16-bit floats, otherwise this dtype. */
    public DType computed() {
        return isHalf() ? F32 : this;
    }
}
