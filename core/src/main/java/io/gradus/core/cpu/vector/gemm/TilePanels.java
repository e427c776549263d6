package io.gradus.core.cpu.vector.gemm;

import io.gradus.core.DType;
import io.gradus.core.cpu.machine.PackingKernel;
import io.gradus.core.cpu.machine.PackingKernel.Form;
import java.lang.foreign.MemorySegment;

/**
 * Packs a part of an operand with {@link PackingKernel}, which reads whole blocks only. What is left at the edges of the matrix is
 * copied first, and filled up with zeros.
 *
 * @param depth the length along k of the part
 * @param right whether the operand is B
 * @param split whether to split elements
 */
record TilePanels(int depth, boolean right, boolean split) {
    private static final int LINES = PackingKernel.LINES;
    private static final int DEPTH = PackingKernel.DEPTH;
    private static final int GROUP = LINES / 2;

    /** Blocks of a panel. */
    int blocks() {
        return (depth + DEPTH - 1) / DEPTH;
    }

    /** Bytes of a panel. */
    long bytes() {
        return (long) blocks() * PackingKernel.BLOCK * (split ? 2 : 1);
    }

    /** Bytes of the panels for this many lines. */
    long bytes(int lines) {
        return (lines + LINES - 1) / LINES * bytes();
    }

    /**
     * Packs lines of a matrix. Lines that are missing in the last panel are undefined.
     *
     * @param matrix {@code [lines, k]}
     * @param at the position of the first panel, in bytes
     */
    void pack(Matrix matrix, int line0, int line1, int k0, MemorySegment panels, long at) {
        boolean converted = matrix.dtype() == DType.F16 || split && matrix.dtype() == DType.BF16;
        Matrix source = converted ? matrix.floats(line0, line1, k0, k0 + depth) : matrix;
        boolean half = source.dtype() == DType.BF16;
        Form form = new Form(source.transposed(), right, half, split);
        Matrix part = source.at(source.place(line0, k0));
        if (form.across()) {
            packAcross(form, part, line1 - line0, panels, at);
        } else {
            packAlong(form, part, line1 - line0, panels, at);
        }
    }

    private void packAlong(Form form, Matrix part, int lines, MemorySegment panels, long at) {
        int size = part.dtype().bytes();
        int whole = depth / DEPTH;
        for (int line = 0; line < lines; line += GROUP) {
            MemorySegment panel = panels.asSlice(at + line / LINES * bytes());
            boolean others = line % LINES != 0;
            MemorySegment source = part.memory().asSlice(part.place(line, 0) * size);
            if (lines - line < GROUP) {
                long length = (long) blocks() * DEPTH;
                MemorySegment copy = copy(source, part, lines - line, depth, GROUP, length);
                PackingKernel.packLines(form, copy, length * size, panel, others, blocks());
                return;
            }
            PackingKernel.packLines(form, source, part.stride() * size, panel, others, whole);
            if (whole < blocks()) {
                MemorySegment rest = source.asSlice((long) whole * DEPTH * size);
                MemorySegment copy = copy(rest, part, GROUP, depth - whole * DEPTH, GROUP, DEPTH);
                MemorySegment block = panel.asSlice((long) whole * form.block());
                PackingKernel.packLines(form, copy, (long) DEPTH * size, block, others, 1);
            }
        }
    }

    private void packAcross(Form form, Matrix part, int lines, MemorySegment panels, long at) {
        int size = part.dtype().bytes();
        int whole = lines / LINES;
        for (int block = 0; block < blocks(); block++) {
            int k = block * DEPTH;
            int rows = Math.min(DEPTH, depth - k);
            MemorySegment target = panels.asSlice(at + (long) block * form.block());
            MemorySegment source = part.memory().asSlice(part.place(0, k) * size);
            if (whole > 0 && rows == DEPTH) {
                PackingKernel.packPanels(form, source, part.stride() * size, target, bytes(), whole);
            } else if (whole > 0) {
                long length = (long) whole * LINES;
                MemorySegment copy = copy(source, part, rows, length, DEPTH, length);
                PackingKernel.packPanels(form, copy, length * size, target, bytes(), whole);
            }
            int rest = lines - whole * LINES;
            if (rest > 0) {
                MemorySegment others = source.asSlice((long) whole * LINES * size);
                MemorySegment copy = copy(others, part, rows, rest, DEPTH, LINES);
                PackingKernel.packPanels(form, copy, (long) LINES * size, target.asSlice(whole * bytes()), bytes(), 1);
            }
        }
    }

    /** Copies the beginnings of rows in memory to an array {@code [toRows, toLength]} of this thread, whose other elements are zeros. */
    private static MemorySegment copy(
            MemorySegment source, Matrix layout, int rows, long length, int toRows, long toLength) {
        int size = layout.dtype().bytes();
        MemorySegment copy = GemmBuffers.ofThread().edge(toRows * toLength * size);
        copy.asSlice(0, toRows * toLength * size).fill((byte) 0);
        for (int row = 0; row < rows; row++) {
            MemorySegment.copy(source, row * layout.stride() * size, copy, row * toLength * size, length * size);
        }
        return copy;
    }
}
