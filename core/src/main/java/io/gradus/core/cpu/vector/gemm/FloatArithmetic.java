package io.gradus.core.cpu.vector.gemm;

import io.gradus.core.cpu.vector.Lanes;
import java.lang.foreign.MemorySegment;

/** Products of F32, as stored or converted from 16 bits. */
sealed class FloatArithmetic implements PanelArithmetic permits RoundedArithmetic {

    @Override
    public int rows() {
        return MicroKernel.ROWS;
    }

    @Override
    public int steps(int depth) {
        return depth;
    }

    @Override
    public int depth(int steps) {
        return steps;
    }

    @Override
    public int unit() {
        return Lanes.COUNT;
    }

    @Override
    public void packRows(Matrix a, int row0, int row1, int k0, int depth, float[] panels, int to) {
        a.packRows(row0, row1, k0, depth, panels, to);
    }

    @Override
    public void packColumns(
            Matrix b, int column0, int column1, int k0, int depth, MemorySegment panels, long to, float[] square) {
        b.packColumns(column0, column1, k0, depth, panels, to, square);
    }

    @Override
    public void multiply(
            float[] a, int aFrom, MemorySegment b, long bFrom, int steps, int columns, float[] c, int cFrom) {
        MicroKernel.multiply(a, aFrom, b, bFrom, steps, columns, c, cFrom, Tile.STRIDE);
    }
}
