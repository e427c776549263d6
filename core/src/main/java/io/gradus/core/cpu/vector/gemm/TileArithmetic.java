package io.gradus.core.cpu.vector.gemm;

import io.gradus.core.cpu.common.Scratch;
import io.gradus.core.cpu.machine.MachineCode;
import io.gradus.core.cpu.machine.TileKernel;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;

/** Pairs of BF16 in tiles. The words of a row of A stay together; those of B are packed as floats are. */
final class TileArithmetic extends PairedArithmetic {

    /** Multiplies a panel of A by one of B, as {@link TileKernel} does. */
    @FunctionalInterface
    interface PanelProduct {
        void multiply(MemorySegment a, MemorySegment b, MemorySegment c, int steps, int columns);
    }

    private final PanelProduct product;

    /**
     * @param split whether to split operands instead of rounding them
     */
    TileArithmetic(boolean split, PanelProduct product) {
        super(split);
        this.product = product;
    }

    static boolean isUsable() {
        return MachineCode.hasTiles() && fitsPanels();
    }

    /** Whether panels are as wide, and filled up to as many words, as the kernel needs. */
    static boolean fitsPanels() {
        return TileKernel.COLUMNS == MicroKernel.COLUMNS && Bf16Words.count(1) == TileKernel.STEPS;
    }

    @Override
    public int rows() {
        return TileKernel.ROWS;
    }

    @Override
    int rowsTogether() {
        return TileKernel.ROWS;
    }

    @Override
    void packWords(Matrix words, int lines, int steps, float[] panels, int to) {
        MemorySegment rows = words.memory();
        if (words.transposed()) {
            rows = Scratch.ofThread().memory(Scratch.BF16_REST, (long) lines * steps);
            float[] square = GemmBuffers.ofThread().square();
            Panels.turn(words.memory(), 0, lines, lines, steps, steps, rows, 0, square);
        }
        MemorySegment.copy(rows, ValueLayout.JAVA_FLOAT, 0, panels, to, lines * steps);
    }

    @Override
    public void multiply(
            float[] a, int aFrom, MemorySegment b, long bFrom, int steps, int columns, float[] c, int cFrom) {
        product.multiply(
                MemorySegment.ofArray(a).asSlice(aFrom * 4L),
                b.asSlice(bFrom * 4),
                MemorySegment.ofArray(c).asSlice(cFrom * 4L),
                steps,
                columns);
    }
}
