package io.gradus.core.cpu.vector.gemm;

import java.lang.foreign.MemorySegment;

/**
 * Products of BF16 where no instruction multiplies these: operands are rounded while they are packed, and multiplied as F32. A product
 * of two BF16 is exact in F32, so only the order of sums differs from {@link DotProductArithmetic}.
 */
final class RoundedArithmetic extends FloatArithmetic {

    @Override
    public void packRows(Matrix a, int row0, int row1, int k0, int depth, float[] panels, int to) {
        int lines = Bf16Words.linesAtATime(depth, Bf16Words.ROWS);
        for (int row = row0; row < row1; row += lines) {
            int end = Math.min(row1, row + lines);
            Matrix rounded = Bf16Words.rounded(a, row, end, k0, depth);
            rounded.packRows(0, end - row, 0, depth, panels, to + (row - row0) * depth);
        }
    }

    @Override
    public void packColumns(
            Matrix b, int column0, int column1, int k0, int depth, MemorySegment panels, long to, float[] square) {
        int lines = Bf16Words.linesAtATime(depth, MicroKernel.COLUMNS);
        for (int column = column0; column < column1; column += lines) {
            int end = Math.min(column1, column + lines);
            Matrix rounded =
                    Bf16Words.rounded(b.transpose(), column, end, k0, depth).transpose();
            long at = to + (long) (column - column0) * depth;
            rounded.packColumns(0, end - column, 0, depth, panels, at, square);
        }
    }
}
