package io.gradus.core.cpu.vector.gemm;

import io.gradus.core.cpu.machine.DotProductKernel;
import io.gradus.core.cpu.machine.MachineCode;
import io.gradus.core.cpu.vector.Lanes;
import java.lang.foreign.MemorySegment;

/**
 * Products of BF16 in vectors. A step of {@link DotProductKernel} multiplies pairs of elements along k, which {@link Bf16Words} makes one
 * 32-bit word each; words are packed as floats are.
 *
 * <p>Operands may also be split, {@code a = h + r}: a BF16, and the BF16 of what is left. One after the other along
 * k, panels of A have h, r and h, and those of B h, h and r. So one product of three times the length sums
 * {@code hₐhᵦ + rₐhᵦ + hₐrᵦ}; what is missing, {@code rₐrᵦ}, is below the last bit of a split number. Henry, Tang &amp; Heinecke
 * (2019) compare such splits.
 */
final class DotProductArithmetic implements PanelArithmetic {
    private final boolean[] left;
    private final boolean[] right;

    /**
     * @param split whether to split operands instead of rounding them
     */
    DotProductArithmetic(boolean split) {
        left = split ? new boolean[] {false, true, false} : new boolean[] {false};
        right = split ? new boolean[] {false, false, true} : new boolean[] {false};
    }

    static boolean isUsable() {
        return MachineCode.hasDotProducts()
                && DotProductKernel.ROWS == MicroKernel.ROWS
                && DotProductKernel.COLUMNS == MicroKernel.COLUMNS;
    }

    @Override
    public int rows() {
        return MicroKernel.ROWS;
    }

    @Override
    public int steps(int depth) {
        return left.length * Bf16Words.count(depth);
    }

    @Override
    public int depth(int steps) {
        return Math.max(1, 2 * steps / left.length / unit()) * unit();
    }

    @Override
    public int unit() {
        return 2 * Lanes.COUNT;
    }

    @Override
    public void packRows(Matrix a, int row0, int row1, int k0, int depth, float[] panels, int to) {
        int steps = steps(depth);
        int lines = Bf16Words.linesAtATime(steps, Bf16Words.ROWS);
        for (int row = row0; row < row1; row += lines) {
            int end = Math.min(row1, row + lines);
            Matrix words = Bf16Words.of(a, row, end, k0, depth, left);
            words.packRows(0, end - row, 0, steps, panels, to + (row - row0) * steps);
        }
    }

    @Override
    public void packColumns(
            Matrix b, int column0, int column1, int k0, int depth, MemorySegment panels, long to, float[] square) {
        int steps = steps(depth);
        int lines = Bf16Words.linesAtATime(steps, MicroKernel.COLUMNS);
        for (int column = column0; column < column1; column += lines) {
            int end = Math.min(column1, column + lines);
            Matrix words =
                    Bf16Words.of(b.transpose(), column, end, k0, depth, right).transpose();
            long at = to + (long) (column - column0) * steps;
            words.packColumns(0, end - column, 0, steps, panels, at, square);
        }
    }

    @Override
    public void multiply(
            float[] a, int aFrom, MemorySegment b, long bFrom, int steps, int columns, float[] c, int cFrom) {
        DotProductKernel.multiply(
                MemorySegment.ofArray(a).asSlice(aFrom * 4L),
                b.asSlice(bFrom * 4),
                MemorySegment.ofArray(c).asSlice(cFrom * 4L),
                steps,
                columns);
    }
}
