package io.gradus.core.cpu.vector.gemm;

import io.gradus.core.cpu.machine.DotProductKernel;
import io.gradus.core.cpu.machine.MachineCode;
import java.lang.foreign.MemorySegment;

/** Pairs of BF16 in vectors. Words are packed as floats are. */
final class DotProductArithmetic extends PairedArithmetic {

    /**
     * @param split whether to split operands instead of rounding them
     */
    DotProductArithmetic(boolean split) {
        super(split);
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
    int rowsTogether() {
        return Bf16Words.ROWS;
    }

    @Override
    void packWords(Matrix words, int lines, int steps, float[] panels, int to) {
        words.packRows(0, lines, 0, steps, panels, to);
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
