package io.gradus.core.cpu.scalar;

import io.gradus.core.DType;
import io.gradus.core.HostCast;
import io.gradus.core.Shape;
import io.gradus.core.Tensor;
import io.gradus.core.cpu.common.BatchOffsets;
import io.gradus.core.cpu.common.CpuStorage;
import io.gradus.core.cpu.common.Workers;
import io.gradus.core.kernel.GemmKernels;
import java.lang.foreign.MemorySegment;
import java.util.Arrays;

/**
 * Matrix products in plain Java. The result is cut into tiles of at most {@value #ROWS} rows of {@value #LANES} lanes; for
 * each, a block of B is copied to one array per row (transposed if necessary), and every row of the tile adds multiples of
 * those rows, eight at a time:
 *
 * <pre>  c[j] += a₀·b₀[j] + a₁·b₁[j] + … + a₇·b₇[j]</pre>
 *
 * Separate arrays and indices from 0 allow the JIT compiler to vectorize that loop, and long rows make it efficient. So a tall
 * and narrow result is computed transposed, {@code Cᵀ = Bᵀ·Aᵀ}, and transposed when it is written.
 */
final class Gemm implements GemmKernels {
    private static final int ROWS = 256;
    private static final int LANES = 512;
    private static final int BLOCK = 256;
    /** Results wider than this are not transposed. */
    private static final int WIDE = 256;
    /** Tiles are made smaller until there are this many, for parallelism. */
    private static final int MIN_TILES = 8;

    private static final int MIN_ROWS = 16;

    private final Workers workers;

    public Gemm(Workers workers) {
        this.workers = workers;
    }

    /** The memory of an operand or the result. */
    private record Operand(MemorySegment memory, DType dtype) {

        /** The matrix that begins at an element. */
        Operand at(long element, long size) {
            return new Operand(memory.asSlice(element * dtype.bytes(), size * dtype.bytes()), dtype);
        }

        /** Copies floats from the start of an array, rounded to the dtype. */
        void store(float[] source, long to, int count) {
            if (dtype == DType.F32) {
                CpuStorage.store(source, memory, to, count);
            } else {
                MemorySegment stored = memory.asSlice(to * dtype.bytes(), (long) count * dtype.bytes());
                HostCast.convert(MemorySegment.ofArray(source), DType.F32, stored, dtype, count);
            }
        }

        /** Copies elements to the start of an array, as floats. */
        void load(long from, float[] target, int count) {
            if (dtype == DType.F32) {
                CpuStorage.load(memory, from, target, count);
            } else {
                MemorySegment stored = memory.asSlice(from * dtype.bytes(), (long) count * dtype.bytes());
                HostCast.convert(stored, dtype, MemorySegment.ofArray(target), DType.F32, count);
            }
        }
    }

    /** One product: {@code c[m, n] (+)= op(a)·op(b)}, where c is stored transposed if it is computed transposed. */
    private record Product(
            Operand a,
            boolean transposeA,
            Operand b,
            boolean transposeB,
            Operand c,
            boolean transposeC,
            int m,
            int n,
            int k,
            boolean accumulate) {

        Product onItsSide() {
            return new Product(b, !transposeB, a, !transposeA, c, !transposeC, n, m, k, accumulate);
        }
    }

    @Override
    public void matmul(Tensor a, boolean transposeA, Tensor b, boolean transposeB, Tensor out, boolean accumulate) {
        Shape shape = out.shape();
        if (shape.size() == 0) {
            return;
        }
        int rows = Math.toIntExact(shape.get(-2));
        int columns = Math.toIntExact(shape.get(-1));
        int k = Math.toIntExact(a.shape().get(transposeA ? -2 : -1));
        boolean onItsSide = columns < WIDE && rows > columns;
        int m = onItsSide ? columns : rows;
        int n = onItsSide ? rows : columns;
        Operand left = new Operand(CpuStorage.of(a), a.dtype());
        Operand right = new Operand(CpuStorage.of(b), b.dtype());
        Operand result = new Operand(CpuStorage.of(out), out.dtype());
        Shape batch = shape.sub(0, shape.rank() - 2);
        BatchOffsets aOffsets = new BatchOffsets(a.shape().sub(0, a.shape().rank() - 2), batch);
        BatchOffsets bOffsets = new BatchOffsets(b.shape().sub(0, b.shape().rank() - 2), batch);
        int across = parts(n, LANES);
        int tileRows = ROWS;
        while (tileRows > MIN_ROWS && batch.size() * across * parts(m, tileRows) < MIN_TILES) {
            tileRows /= 2;
        }
        int height = tileRows;
        int tiles = parts(m, height) * across;
        workers.forEach(batch.size() * tiles, 1, (from, to) -> {
            for (long tile = from; tile < to; tile++) {
                long item = tile / tiles;
                int row = (int) (tile / across % parts(m, height)) * height;
                int column = (int) (tile % across) * LANES;
                Product product = new Product(
                        left.at(aOffsets.of(item) * rows * k, (long) rows * k),
                        transposeA,
                        right.at(bOffsets.of(item) * k * columns, (long) k * columns),
                        transposeB,
                        result.at(item * rows * columns, (long) rows * columns),
                        false,
                        rows,
                        columns,
                        k,
                        accumulate);
                compute(
                        onItsSide ? product.onItsSide() : product,
                        row,
                        Math.min(m, row + height) - row,
                        column,
                        Math.min(n, column + LANES) - column);
            }
        });
    }

    private static int parts(int length, int part) {
        return (length + part - 1) / part;
    }

    private static void compute(Product p, int row0, int rows, int column0, int width) {
        Panels panels = Panels.ofThread();
        for (int row = 0; row < rows; row++) {
            Arrays.fill(panels.c[row], 0, width, 0);
        }
        for (int k0 = 0; k0 < p.k; k0 += BLOCK) {
            int depth = Math.min(BLOCK, p.k - k0);
            packB(p, k0, depth, column0, width, panels);
            packA(p, row0, row0 + rows, k0, depth, panels);
            for (int row = 0; row < rows; row++) {
                addMultiples(panels.b, panels.a, row * BLOCK, depth, panels.c[row], width);
            }
        }
        if (p.transposeC) {
            storeTransposed(p, row0, rows, column0, width, panels);
        } else {
            for (int row = 0; row < rows; row++) {
                store(p, panels.c[row], (long) (row0 + row) * p.n + column0, width, panels.run);
            }
        }
    }

    /** Writes column j of the tile to row {@code column0 + j} of the result. */
    private static void storeTransposed(Product p, int row0, int rows, int column0, int width, Panels panels) {
        float[] line = panels.line;
        for (int j = 0; j < width; j++) {
            for (int row = 0; row < rows; row++) {
                line[row] = panels.c[row][j];
            }
            store(p, line, (long) (column0 + j) * p.m + row0, rows, panels.run);
        }
    }

    private static void store(Product p, float[] values, long at, int count, float[] run) {
        if (p.accumulate) {
            p.c.load(at, run, count);
            for (int j = 0; j < count; j++) {
                run[j] += values[j];
            }
            p.c.store(run, at, count);
        } else {
            p.c.store(values, at, count);
        }
    }

    /** {@code c += Σ a[at + i]·b[i]} over {@code depth} rows of b. */
    static void addMultiples(float[][] b, float[] a, int at, int depth, float[] c, int width) {
        int i = 0;
        for (; i + 8 <= depth; i += 8) {
            add8(
                    c,
                    width,
                    b[i],
                    b[i + 1],
                    b[i + 2],
                    b[i + 3],
                    b[i + 4],
                    b[i + 5],
                    b[i + 6],
                    b[i + 7],
                    a[at + i],
                    a[at + i + 1],
                    a[at + i + 2],
                    a[at + i + 3],
                    a[at + i + 4],
                    a[at + i + 5],
                    a[at + i + 6],
                    a[at + i + 7]);
        }
        for (; i < depth; i++) {
            add1(c, width, b[i], a[at + i]);
        }
    }

    private static void add8(
            float[] c,
            int width,
            float[] b0,
            float[] b1,
            float[] b2,
            float[] b3,
            float[] b4,
            float[] b5,
            float[] b6,
            float[] b7,
            float a0,
            float a1,
            float a2,
            float a3,
            float a4,
            float a5,
            float a6,
            float a7) {
        for (int j = 0; j < width; j++) {
            float sum = Math.fma(a1, b1[j], Math.fma(a0, b0[j], c[j]));
            sum = Math.fma(a3, b3[j], Math.fma(a2, b2[j], sum));
            sum = Math.fma(a5, b5[j], Math.fma(a4, b4[j], sum));
            c[j] = Math.fma(a7, b7[j], Math.fma(a6, b6[j], sum));
        }
    }

    private static void add1(float[] c, int width, float[] b, float a) {
        for (int j = 0; j < width; j++) {
            c[j] = Math.fma(a, b[j], c[j]);
        }
    }

    /** Rows k0 … of op(B), {@code width} columns of each, copied to one array per row. */
    private static void packB(Product p, int k0, int depth, int column0, int width, Panels panels) {
        if (!p.transposeB) {
            for (int i = 0; i < depth; i++) {
                p.b.load((long) (k0 + i) * p.n + column0, panels.b[i], width);
            }
            return;
        }
        float[] run = panels.run;
        for (int j = 0; j < width; j++) {
            p.b.load((long) (column0 + j) * p.k + k0, run, depth);
            for (int i = 0; i < depth; i++) {
                panels.b[i][j] = run[i];
            }
        }
    }

    /** Rows row0 … of op(A), {@code depth} elements of each, {@value #BLOCK} floats apart. */
    private static void packA(Product p, int row0, int row1, int k0, int depth, Panels panels) {
        float[] run = panels.run;
        if (!p.transposeA) {
            for (int row = row0; row < row1; row++) {
                p.a.load((long) row * p.k + k0, run, depth);
                System.arraycopy(run, 0, panels.a, (row - row0) * BLOCK, depth);
            }
            return;
        }
        for (int i = 0; i < depth; i++) {
            p.a.load((long) (k0 + i) * p.m + row0, run, row1 - row0);
            for (int row = 0; row < row1 - row0; row++) {
                panels.a[row * BLOCK + i] = run[row];
            }
        }
    }

    /** The copies of one thread. */
    private static final class Panels {
        private static final ThreadLocal<Panels> OF_THREAD = ThreadLocal.withInitial(Panels::new);

        private final float[] a = new float[ROWS * BLOCK];
        private final float[][] b = new float[BLOCK][LANES];
        private final float[][] c = new float[ROWS][LANES];
        private final float[] line = new float[ROWS];
        private final float[] run = new float[LANES];

        static Panels ofThread() {
            return OF_THREAD.get();
        }
    }
}
