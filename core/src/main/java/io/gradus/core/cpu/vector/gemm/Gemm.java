package io.gradus.core.cpu.vector.gemm;

import io.gradus.core.DType;
import io.gradus.core.Shape;
import io.gradus.core.Tensor;
import io.gradus.core.cpu.common.BatchOffsets;
import io.gradus.core.cpu.common.Scratch;
import io.gradus.core.cpu.common.Workers;
import io.gradus.core.cpu.machine.PackingKernel;
import io.gradus.core.cpu.vector.Halves;
import io.gradus.core.kernel.GemmKernels;
import java.lang.foreign.MemorySegment;

/**
 * Matrix products after Goto &amp; van de Geijn (2008). The result is divided into tiles, which {@link MicroKernel} computes in
 * registers. k is divided into blocks, so that a panel of A stays in the first-level cache while the panels of a stripe of B are
 * read from the second-level cache. Operands are packed into {@link Panels} block by block, which also handles transposes.
 *
 * <p>Threads share one side of the result; all threads pack the operand along the other side once and read it. Each element is
 * summed over k in order, block by block, so results do not depend on the number of threads.
 */
public final class Gemm implements GemmKernels {
    /** The maximum length of a block of k. Each block but the first reads and rewrites the result. */
    private static final int DEPTH = 1536;
    /** The same if the result is small, so that reading it is cheap, and wide rows of B are faster to read. */
    private static final int SHALLOW = 768;
    /** The number of rows up to which a result is small. */
    private static final int SMALL_RESULT = 512;
    /** Columns of B that a thread packs at a time: 576 kB at full depth. */
    private static final int STRIPE = 96;
    /** Rows of A that a thread packs at a time: 576 kB at full depth. */
    private static final int ROWS = 96;
    /** The maximum number of floats in the operand that all threads read. */
    private static final int SHARED = 1 << 22;
    /** Multiply-adds below which another thread is not worthwhile. */
    private static final long SMALL = 1 << 18;
    /** Multiply-adds in the time of packing one element. */
    private static final int PACKING = 16;
    /** With fewer rows than this, packing does not pay off. */
    private static final int FEW_ROWS = 4;

    /** Elements of a result that a thread converts at a time. */
    private static final int CONVERTED = 1 << 15;

    private static final Workers ALONE = new Workers(1);

    private final Workers workers;
    private final Arithmetic arithmetic;

    public Gemm(Workers workers, Arithmetic arithmetic) {
        this.workers = workers;
        this.arithmetic = arithmetic;
    }

    @Override
    public void matmul(Tensor a, boolean transposeA, Tensor b, boolean transposeB, Tensor out, boolean accumulate) {
        multiply(a, transposeA, b, transposeB, out, Tile.accumulating(accumulate));
    }

    @Override
    public void matmul(Tensor a, boolean transposeA, Tensor b, boolean transposeB, Epilogue epilogue, Tensor out) {
        multiply(a, transposeA, b, transposeB, out, Tile.of(epilogue));
    }

    /** {@code c (+)= a·b}, {@code [m, n] = [m, k]·[k, n]}, on this thread only, as a step of a larger kernel. */
    public static void multiply(
            Arithmetic arithmetic, Matrix a, Matrix b, Matrix c, int m, int n, int k, boolean accumulate) {
        new Product(a, b, c, m, n, k, Tile.accumulating(accumulate), arithmetic).run(ALONE);
    }

    private void multiply(Tensor a, boolean transposeA, Tensor b, boolean transposeB, Tensor out, Tile write) {
        Shape shape = out.shape();
        if (shape.size() == 0) {
            return;
        }
        int m = Math.toIntExact(shape.get(-2));
        int n = Math.toIntExact(shape.get(-1));
        int k = Math.toIntExact(a.shape().get(transposeA ? -2 : -1));
        Product whole = new Product(
                Matrix.of(a, transposeA, m, k),
                Matrix.of(b, transposeB, k, n),
                Matrix.of(out, false, m, n),
                m,
                n,
                k,
                write,
                bothBf16(a, b) ? Arithmetic.ofBf16() : arithmetic);
        Shape batch = shape.sub(0, shape.rank() - 2);
        if (batch.size() == 1) {
            whole.run(workers);
            return;
        }
        BatchOffsets aOffsets = new BatchOffsets(a.shape().sub(0, a.shape().rank() - 2), batch);
        BatchOffsets bOffsets = new BatchOffsets(b.shape().sub(0, b.shape().rank() - 2), batch);
        long grain = Math.max(1, SMALL / Math.max(1, whole.size()));
        workers.forEach(batch.size(), grain, (from, to) -> {
            for (long item = from; item < to; item++) {
                whole.at(aOffsets.of(item), bOffsets.of(item), item).run(workers);
            }
        });
    }

    private static boolean bothBf16(Tensor a, Tensor b) {
        return a.dtype() == DType.BF16 && b.dtype() == DType.BF16;
    }

    /** One product, {@code c = a·b}: {@code [m, n] = [m, k]·[k, n]}. */
    record Product(Matrix a, Matrix b, Matrix c, int m, int n, int k, Tile write, Arithmetic arithmetic) {

        /** The number of multiply-adds. */
        long size() {
            return (long) m * n * k;
        }

        /** The product of other matrices of the batch. */
        private Product at(long a, long b, long c) {
            return new Product(
                    this.a.at(a * m * k), this.b.at(b * k * n), this.c.at(c * m * n), m, n, k, write, arithmetic);
        }

        /** The length of blocks of k. */
        private int depth() {
            int most = switch (arithmetic) {
                case PanelArithmetic panels -> panels.depth(m <= SMALL_RESULT && !b.transposed() ? SHALLOW : DEPTH);
                case TileArithmetic tiles -> tiles.depth();
            };
            int unit = switch (arithmetic) {
                case PanelArithmetic panels -> panels.unit();
                case TileArithmetic _ -> PackingKernel.DEPTH;
            };
            return k <= most ? k : k < 2 * most ? roundUp((k + 1) / 2, unit) : most;
        }

        /** Sums several blocks of k in F32, so that the result is rounded once. */
        private void runInFloats(Workers workers) {
            MemorySegment memory = Scratch.ofThread().memory(Scratch.SUMS, (long) m * n);
            Matrix sums = new Matrix(memory, 0, n, false);
            int rows = Math.max(1, CONVERTED / n);
            if (write.add()) {
                workers.forEach(m, rows, (from, to) -> {
                    for (long row = from; row < to; row++) {
                        Halves.widen(c.memory(), c.dtype(), c.place(row, 0), memory, sums.place(row, 0), n);
                    }
                });
            }
            new Product(a, b, sums, m, n, k, write, arithmetic).run(workers);
            workers.forEach(m, rows, (from, to) -> {
                for (long row = from; row < to; row++) {
                    Halves.narrow(memory, sums.place(row, 0), c.memory(), c.dtype(), c.place(row, 0), n);
                }
            });
        }

        private void run(Workers workers) {
            if (m < FEW_ROWS) {
                Gemv.multiply(this, workers);
                return;
            }
            int depth = depth();
            if (depth < k && c.dtype() != DType.F32) {
                runInFloats(workers);
                return;
            }
            int k0 = 0;
            do { // once even if k is 0: the result is then zeros
                int part = Math.min(depth, k - k0);
                Tile store = write.ofBlock(k0 == 0, k0 + part == k);
                switch (arithmetic) {
                    case PanelArithmetic panels ->
                        new Block(this, panels, k0, part, panels.steps(part), store, workers).run();
                    case TileArithmetic tiles -> new TileProduct(this, k0, part, tiles.split(), store, workers).run();
                }
                k0 += depth;
            } while (k0 < k);
        }
    }

    /**
     * One block of k of a product.
     *
     * @param steps the number of steps of the micro-kernel for {@code depth} elements, and so the length of panels
     */
    private record Block(
            Product p, PanelArithmetic arithmetic, int k0, int depth, int steps, Tile write, Workers workers) {

        void run() {
            int most = SHARED / Math.max(1, steps);
            if (p.n >= p.m || (2 * p.n >= p.m && p.n >= 2 * STRIPE * workers.threads())) {
                int rows = most / height() * height();
                for (int row = 0; row < p.m; row += rows) {
                    shareColumns(row, Math.min(p.m, row + rows));
                }
            } else {
                int columns = most / MicroKernel.COLUMNS * MicroKernel.COLUMNS;
                for (int column = 0; column < p.n; column += columns) {
                    shareRows(column, Math.min(p.n, column + columns));
                }
            }
        }

        /** All threads pack these rows of A; then each computes stripes of columns. */
        private void shareColumns(int row0, int row1) {
            int panels = panels(row1 - row0);
            float[] rows = GemmBuffers.ofThread().sharedRows(panels * height() * steps);
            int pieces = Math.max(1, panels / (2 * workers.threads())); // wide, to read rows in order
            lines().forEach(panels, pieces, (long) PACKING * height() * steps, (from, to) -> {
                packRows(row0, row1, from, to, rows, from);
            });
            int stripe = lines().stripe(p.n, MicroKernel.COLUMNS, atDepth(STRIPE, MicroKernel.COLUMNS));
            lines().forEach(p.n, stripe, (long) (row1 - row0) * steps, (from, to) -> {
                GemmBuffers own = GemmBuffers.ofThread();
                MemorySegment columns = own.columns(roundUp(stripe, MicroKernel.COLUMNS) * steps);
                arithmetic.packColumns(p.b, from, to, k0, depth, columns, 0, own.square());
                multiply(row0, row1, rows, columns, 0, from, to, own.tile());
            });
        }

        /** All threads pack these columns of B; then each computes blocks of rows. */
        private void shareRows(int column0, int column1) {
            MemorySegment columns =
                    GemmBuffers.ofThread().sharedColumns(roundUp(column1 - column0, MicroKernel.COLUMNS) * steps);
            int pieces = roundUp((column1 - column0) / (2 * workers.threads()), MicroKernel.COLUMNS);
            lines().forEach(column1 - column0, pieces, (long) PACKING * steps, (from, to) -> {
                long at = (long) from * steps;
                float[] square = GemmBuffers.ofThread().square();
                arithmetic.packColumns(p.b, column0 + from, column0 + to, k0, depth, columns, at, square);
            });
            int panels = panels(p.m);
            int balanced = Math.max(1, panels / (4 * workers.threads()));
            int block = Math.min(balanced, atDepth(ROWS, height()) / height());
            int stripe = atDepth(STRIPE, MicroKernel.COLUMNS);
            lines().forEach(panels, block, (long) height() * (column1 - column0) * steps, (from, to) -> {
                GemmBuffers own = GemmBuffers.ofThread();
                float[] rows = own.rows(block * height() * steps);
                packRows(0, p.m, from, to, rows, 0);
                int row0 = from * height();
                int row1 = Math.min(p.m, to * height());
                for (int column = column0; column < column1; column += stripe) {
                    long at = (long) (column - column0) * steps;
                    int end = Math.min(column1, column + stripe);
                    multiply(row0, row1, rows, columns, at, column, end, own.tile());
                }
            });
        }

        private Lines lines() {
            return new Lines(workers, SMALL);
        }

        /** The number of rows of a panel. */
        private int height() {
            return arithmetic.rows();
        }

        private int panels(int rows) {
            return (rows + height() - 1) / height();
        }

        /** Packs some of the panels of these rows, to the position of panel {@code at}. */
        private void packRows(int row0, int row1, int from, int to, float[] rows, int at) {
            int start = row0 + from * height();
            int end = Math.min(row1, row0 + to * height());
            int place = at * height() * steps;
            arithmetic.packRows(p.a, start, end, k0, depth, rows, place);
        }

        /** Multiplies packed rows by packed columns: each panel of rows with all panels of columns. */
        private void multiply(
                int row0,
                int row1,
                float[] rows,
                MemorySegment columns,
                long at,
                int column0,
                int column1,
                float[] tile) {
            for (int row = row0; row < row1; row += height()) {
                int a = (row - row0) * steps;
                for (int column = column0; column < column1; column += Tile.STRIDE) {
                    int n = Math.min(Tile.STRIDE, column1 - column);
                    for (int j = 0; j < n; j += MicroKernel.COLUMNS) {
                        long b = at + (long) (column - column0 + j) * steps;
                        arithmetic.multiply(rows, a, columns, b, steps, n - j, tile, j);
                    }
                    int rowsOfTile = Math.min(height(), row1 - row);
                    write.store(tile, 0, p.c, row, column, rowsOfTile, n);
                }
            }
        }

        /** The number of lines in a block of the size that {@code lines} have at full steps; at most three times as many. */
        private int atDepth(int lines, int unit) {
            return Math.max(unit, lines * DEPTH / Math.max(DEPTH / 3, steps) / unit * unit);
        }
    }

    private static int roundUp(int count, int unit) {
        return Math.max(1, (count + unit - 1) / unit) * unit;
    }
}
