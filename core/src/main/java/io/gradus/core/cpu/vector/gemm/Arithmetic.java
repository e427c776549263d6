package io.gradus.core.cpu.vector.gemm;

import io.gradus.core.MatmulPrecision;

/** The numbers that a product multiplies. Sums are F32. */
public sealed interface Arithmetic permits PanelArithmetic, TileArithmetic {
    /** F32, as stored. */
    Arithmetic FLOATS = new FloatArithmetic();

    /** Operands rounded to BF16 and multiplied as F32: the Vector API has no products of BF16. */
    Arithmetic ROUNDED = new RoundedArithmetic();

    /** Operands rounded to BF16, multiplied in pairs by machine code, in vectors; only if {@link #hasPairs()}. */
    Arithmetic PAIRED = new DotProductArithmetic(false);

    /** The same in tiles; only if {@link #hasTiles()}. */
    Arithmetic TILES = new TileArithmetic(false);

    /**
     * Each operand split into a BF16 and the BF16 of what is left, in pairs as above; three products. 16 of the 24 bits of a float
     * count. Infinities become NaN.
     */
    Arithmetic SPLIT = new DotProductArithmetic(true);

    /** The same in tiles. */
    Arithmetic SPLIT_TILES = new TileArithmetic(true);

    /**
     * For two operands that are BF16 in memory, in any precision: their products are exact in F32, so only the order of sums differs
     * from {@link #FLOATS}, and denormal numbers may count as zeros.
     */
    static Arithmetic ofBf16() {
        return Bf16.PRODUCTS;
    }

    /**
     * The numbers for products that are steps of a larger kernel, and pack their operands each time: F32 unless there are tiles, since
     * packing for {@code vdpbf16ps} takes longer than it saves.
     */
    static Arithmetic ofSmall(Arithmetic arithmetic) {
        return arithmetic instanceof TileArithmetic ? arithmetic : FLOATS;
    }

    /** Chosen when it is needed: programs that compute in F32 only do not ask the processor. */
    final class Bf16 {
        private static final Arithmetic PRODUCTS = hasTiles() ? TILES : hasPairs() ? PAIRED : FLOATS;

        private Bf16() {}
    }

    /** The numbers of a precision, on this processor. */
    static Arithmetic of(MatmulPrecision precision) {
        return switch (precision) {
            case HIGHEST -> FLOATS;
            case HIGH -> hasTiles() ? SPLIT_TILES : FLOATS; // in vectors, three products take longer than one of floats
            case MEDIUM -> hasTiles() ? TILES : hasPairs() ? PAIRED : ROUNDED;
        };
    }

    /** Whether this program can multiply pairs of BF16 in vectors. */
    static boolean hasPairs() {
        return DotProductArithmetic.isUsable();
    }

    /** Whether this program can multiply pairs of BF16 in tiles. */
    static boolean hasTiles() {
        return TileArithmetic.isUsable();
    }
}
