package io.gradus.core.cpu.vector.gemm;

import java.lang.foreign.MemorySegment;

/** How a block of an operand is packed into panels, and the micro-kernel for these. */
sealed interface PanelArithmetic extends Arithmetic permits FloatArithmetic, DotProductArithmetic {

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
