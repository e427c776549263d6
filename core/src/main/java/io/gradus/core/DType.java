package io.gradus.core;

/** How an element is stored. Mathematics is done in {@link #F32}; the 16-bit floats are storage only. */
public enum DType {
    /** IEEE 754 single precision. */
    F32(4, true),
    /** The upper half of a single: 8 bits of exponent, 7 of mantissa. */
    BF16(2, true),
    /** IEEE 754 half precision: 5 bits of exponent, 10 of mantissa. */
    F16(2, true),
    /** Two's complement: token ids, positions, masks. */
    I32(4, false),
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
}
