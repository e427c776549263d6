package io.gradus.core.cpu.vector.gemm;

import io.gradus.core.DType;
import io.gradus.core.cpu.common.Workers;
import io.gradus.core.cpu.machine.PackingKernel;
import io.gradus.core.cpu.machine.TileKernel;
import io.gradus.core.cpu.vector.Halves;
import java.lang.foreign.MemorySegment;

/**
 * One block of k of a product in tiles. All threads pack one operand and read it; of the other, each thread packs a stripe, which stays
 * in the second-level cache while it is multiplied. Stripes are of columns, or of rows if the result is tall.
 *
 * <p>Each element is a sum over k in order, in a square of 32 × 32 elements whose place depends on the result only. So results do not
 * depend on the number of threads.
 */
final class TileProduct {
    /** The maximum length of a block of k. Each block but the first reads and rewrites the result. */
    static final int DEPTH = 2048;

    private static final int LINES = PackingKernel.LINES;
    /** Bytes of a stripe: a third of the second-level cache. */
    private static final int STRIPE = 640 << 10;
    /** The most columns of the result that are computed in scratch memory, which stays in the first-level cache. */
    static final int WIDTH = 256;
    /** The most lines of a stripe. */
    private static final int MOST_LINES = 512;
    /** The most bytes of the operand that all threads read. */
    private static final long SHARED = 16 << 20;
    /** Multiply-adds below which another thread is not worthwhile. */
    private static final long SMALL = 1 << 20;
    /** Multiply-adds in the time of packing one element. */
    private static final int PACKING = 64;

    private final Gemm.Product p;
    private final int k0;
    private final Tile write;
    private final Workers workers;
    private final Lines lines;
    private final boolean split;
    private final TilePanels left;
    private final TilePanels right;
    private final Matrix columns;

    TileProduct(Gemm.Product p, int k0, int depth, boolean split, Tile write, Workers workers) {
        this.p = p;
        this.k0 = k0;
        this.write = write;
        this.workers = workers;
        lines = new Lines(workers, SMALL);
        this.split = split;
        left = new TilePanels(depth, false, split);
        right = new TilePanels(depth, true, split);
        columns = p.b().transpose();
    }

    void run() {
        int most = Math.clamp(SHARED / Math.max(1, left.bytes()), 1, Integer.MAX_VALUE / LINES) * LINES;
        if (p.n() >= p.m() || (2 * p.n() >= p.m() && p.n() >= 4 * LINES * workers.threads())) {
            for (int row = 0; row < p.m(); row += most) {
                shareRows(row, Math.min(p.m(), row + most));
            }
        } else {
            for (int column = 0; column < p.n(); column += most) {
                shareColumns(column, Math.min(p.n(), column + most));
            }
        }
    }

    /** All threads pack these rows of A; then each computes stripes of columns. */
    private void shareRows(int row0, int row1) {
        MemorySegment rows = GemmBuffers.ofThread().sharedTiles(left.bytes(row1 - row0));
        pack(left, p.a(), row0, row1, rows);
        int stripe = stripe(p.n());
        lines.forEach(p.n(), stripe, (long) (row1 - row0) * left.depth(), (from, to) -> {
            MemorySegment own = GemmBuffers.ofThread().tiles(right.bytes(to - from));
            right.pack(columns, from, to, k0, own, 0);
            multiply(row0, row1, rows, from, to, own);
        });
    }

    /** All threads pack these columns of B; then each computes stripes of rows. */
    private void shareColumns(int column0, int column1) {
        MemorySegment shared = GemmBuffers.ofThread().sharedTiles(right.bytes(column1 - column0));
        pack(right, columns, column0, column1, shared);
        int stripe = stripe(p.m());
        lines.forEach(p.m(), stripe, (long) (column1 - column0) * left.depth(), (from, to) -> {
            MemorySegment own = GemmBuffers.ofThread().tiles(left.bytes(to - from));
            left.pack(p.a(), from, to, k0, own, 0);
            multiply(from, to, own, column0, column1, shared);
        });
    }

    private void pack(TilePanels panels, Matrix matrix, int line0, int line1, MemorySegment target) {
        int count = (line1 - line0 + LINES - 1) / LINES;
        int piece = Math.max(1, (count + 2 * workers.threads() - 1) / (2 * workers.threads()));
        lines.forEach(count, piece, (long) PACKING * LINES * panels.depth(), (from, to) -> {
            int end = Math.min(line1, line0 + to * LINES);
            panels.pack(matrix, line0 + from * LINES, end, k0, target, from * panels.bytes());
        });
    }

    /** Multiplies packed rows by packed columns: each panel of rows with all panels of columns. */
    private void multiply(int row0, int row1, MemorySegment a, int column0, int column1, MemorySegment b) {
        Matrix c = p.c();
        boolean plain = write.isPlain() && c.dtype() == DType.F32;
        for (int row = row0; row < row1; row += LINES) {
            MemorySegment rows = a.asSlice((row - row0) / LINES * left.bytes(), left.bytes());
            int height = Math.min(LINES, row1 - row);
            int whole = plain && height == LINES ? (column1 - column0) / LINES : 0;
            if (whole > 0) {
                MemorySegment result = c.memory().asSlice(c.place(row, column0) * 4);
                TileKernel.multiply(rows, b, whole, left.blocks(), split, result, c.stride(), write.add());
            }
            int width;
            for (int column = column0 + whole * LINES; column < column1; column += width) {
                width = Math.min(WIDTH, column1 - column);
                MemorySegment panels = b.asSlice((column - column0) / LINES * right.bytes());
                multiplyInScratch(rows, panels, row, column, height, width);
            }
        }
    }

    /** Computes some elements in memory of this thread, applies bias and activation, and writes them to the result. */
    private void multiplyInScratch(
            MemorySegment rows, MemorySegment panels, int row, int column, int height, int width) {
        Matrix c = p.c();
        MemorySegment sums = GemmBuffers.ofThread().tileSums();
        int count = (width + LINES - 1) / LINES;
        int stride = count * LINES;
        for (int i = 0; i < height && write.add(); i++) {
            Halves.widen(c.memory(), c.dtype(), c.place(row + i, column), sums, (long) i * stride, width);
        }
        TileKernel.multiply(rows, panels, count, left.blocks(), split, sums, stride, write.add());
        write.finish(sums, stride, column, height, width);
        for (int i = 0; i < height; i++) {
            Halves.narrow(sums, (long) i * stride, c.memory(), c.dtype(), c.place(row + i, column), width);
        }
    }

    /** The width of stripes of a side of the result. */
    private int stripe(int count) {
        int most = Math.clamp(STRIPE / Math.max(1, left.bytes()), 1, MOST_LINES / LINES);
        return lines.stripe(count, LINES, most * LINES);
    }
}
