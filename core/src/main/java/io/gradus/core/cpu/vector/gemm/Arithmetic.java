package io.gradus.core.cpu.vector.gemm;

import io.gradus.core.MatmulPrecision;
import io.gradus.core.cpu.machine.TileKernel;
import java.lang.foreign.MemorySegment;

/**
 * The numbers that a product multiplies: how a block of an operand is packed into panels, and the micro-kernel for these. Results
 * are F32, as are sums.
 */
public sealed interface Arithmetic permits FloatArithmetic, RoundedArithmetic, PairedArithmetic {
    /** F32, as stored. */
    Arithmetic FLOATS = new FloatArithmetic();

    /** Operands rounded to BF16 and multiplied as F32: the Vector API has no products of BF16. */
    Arithmetic ROUNDED = new RoundedArithmetic();

    /** Operands rounded to BF16, multiplied in pairs by machine code, in vectors; only if {@link #hasPairs()}. */
    Arithmetic PAIRED = new DotProductArithmetic(false);

    /** The same in tiles; only if {@link #hasTiles()}. */
    Arithmetic TILES = new TileArithmetic(false, TileKernel::multiply);

    /**
     * Each operand split into a BF16 and the BF16 of what is left, in pairs as above; three products. 16 of the 24 bits of a float
     * count. Infinities become NaN.
     */
    Arithmetic SPLIT = new DotProductArithmetic(true);

    /** The same in tiles. */
    Arithmetic SPLIT_TILES = new TileArithmetic(true, TileKernel::multiply);

    /**
     * For two operands that are BF16 in memory, in any precision: their products are exact in F32, so only the order of sums differs
     * from {@link #FLOATS}, and denormal numbers may count as zeros.
     */
    Arithmetic OF_BF16 = hasTiles() ? TILES : hasPairs() ? PAIRED : FLOATS;

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

    /** The number of rows of a panel of A, up to {@link Tile#MOST_ROWS}. */
    int rows();

    /** The number of steps of the micro-kernel for a block of k of this length. */
    int steps(int depth);

    /** The length of a block of k for at most this many steps. */
    int depth(int steps);

    /** Blocks of k start at multiples of this. */
    int unit();

    /** Packs {@code [row0, row1)} × {@code [k0, k0 + depth)} of A into panels of {@link #rows}. */
    void packRows(Matrix a, int row0, int row1, int k0, int depth, float[] panels, int to);

    /**
     * Packs {@code [k0, k0 + depth)} × {@code [column0, column1)} of B into panels of {@link MicroKernel#COLUMNS}.
     *
     * @param square scratch of {@link Panels#SQUARE} floats
     */
    void packColumns(
            Matrix b, int column0, int column1, int k0, int depth, MemorySegment panels, long to, float[] square);

    /**
     * {@code c = a·b} for one tile of packed operands.
     *
     * @param columns the number of columns; the rest of the tile is undefined afterwards
     * @param c rows of {@link Tile#STRIDE} floats
     * @param cFrom 0, or a column
     */
    void multiply(float[] a, int aFrom, MemorySegment b, long bFrom, int steps, int columns, float[] c, int cFrom);
}
