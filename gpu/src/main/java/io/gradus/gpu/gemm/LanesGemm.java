package io.gradus.gpu.gemm;

import static io.gradus.gpu.runtime.Launcher.floats;

import io.gradus.gpu.runtime.Kernel;
import io.gradus.gpu.runtime.Launcher;
import uk.ac.manchester.tornado.api.KernelContext;
import uk.ac.manchester.tornado.api.types.arrays.FloatArray;
import uk.ac.manchester.tornado.api.types.arrays.IntArray;
import uk.ac.manchester.tornado.api.types.vectors.Float8;

/**
 * Each work-item computes four rows of sixteen columns in eight vectors of eight lanes. {@link RowsGemm} relies on the
 * OpenCL compiler of a CPU device for vector code, which fails to use the vector registers. The vectors at the end of a
 * row overlap the ones before, so that none extends beyond the row; overlapping elements are stored once.
 */
final class LanesGemm {
    private static final int ROWS = 4;
    private static final int COLUMNS = 16;
    private static final Kernel LANES =
            Kernel.of("gemm_lanes", LanesGemm::lanesKernel).group(16, 1);

    private LanesGemm() {}

    static void run(Launcher launcher, GemmProduct p) {
        if (p.n() < COLUMNS || p.m() < ROWS && p.transposeB()) {
            RowsGemm.run(launcher, p);
        } else {
            RowsGemm.withTransposedB(launcher, p, LanesGemm::lanes);
        }
    }

    private static void lanes(Launcher launcher, GemmProduct p) {
        long items = p.batch() * Math.ceilDiv(p.m(), ROWS) * Math.ceilDiv(p.n(), COLUMNS);
        launcher.run(LANES, items, p.ints(items), floats(), p.operands());
    }

    private static void lanesKernel(
            KernelContext c, IntArray d, FloatArray s, FloatArray a, FloatArray b, FloatArray bias, FloatArray out) {
        float[] sums = new float[ROWS * COLUMNS];
        int item = c.globalIdx;
        if (item < d.get(GemmProduct.ITEMS)) {
            int m = d.get(GemmProduct.M);
            int n = d.get(GemmProduct.N);
            int k = d.get(GemmProduct.K);
            int across = (n + COLUMNS - 1) / COLUMNS;
            int down = (m + ROWS - 1) / ROWS;
            int row = item / across % down * ROWS;
            int batch = item / (across * down);
            int wanted = item % across * COLUMNS;
            int column = wanted + COLUMNS < n ? wanted : n - COLUMNS;
            int aRow = d.get(GemmProduct.A_ROW);
            int aInner = d.get(GemmProduct.A_INNER);
            int aMatrix = GemmProduct.matrix(d, 0, batch);
            int a0 = aMatrix + (row < m ? row : m - 1) * aRow;
            int a1 = aMatrix + (row + 1 < m ? row + 1 : m - 1) * aRow;
            int a2 = aMatrix + (row + 2 < m ? row + 2 : m - 1) * aRow;
            int a3 = aMatrix + (row + 3 < m ? row + 3 : m - 1) * aRow;
            int b0 = GemmProduct.matrix(d, 1, batch) + column;
            int from = 0;
            do {
                int to = from + GemmProduct.PART < k ? from + GemmProduct.PART : k;
                Float8 c00 = new Float8(0, 0, 0, 0, 0, 0, 0, 0);
                Float8 c01 = new Float8(0, 0, 0, 0, 0, 0, 0, 0);
                Float8 c10 = new Float8(0, 0, 0, 0, 0, 0, 0, 0);
                Float8 c11 = new Float8(0, 0, 0, 0, 0, 0, 0, 0);
                Float8 c20 = new Float8(0, 0, 0, 0, 0, 0, 0, 0);
                Float8 c21 = new Float8(0, 0, 0, 0, 0, 0, 0, 0);
                Float8 c30 = new Float8(0, 0, 0, 0, 0, 0, 0, 0);
                Float8 c31 = new Float8(0, 0, 0, 0, 0, 0, 0, 0);
                for (int i = from; i < to; i++) {
                    int at = b0 + i * n;
                    Float8 y0 = load(b, at);
                    Float8 y1 = load(b, at + 8);
                    float u0 = a.get(a0 + i * aInner);
                    c00 = Float8.add(c00, Float8.mult(y0, u0));
                    c01 = Float8.add(c01, Float8.mult(y1, u0));
                    float u1 = a.get(a1 + i * aInner);
                    c10 = Float8.add(c10, Float8.mult(y0, u1));
                    c11 = Float8.add(c11, Float8.mult(y1, u1));
                    float u2 = a.get(a2 + i * aInner);
                    c20 = Float8.add(c20, Float8.mult(y0, u2));
                    c21 = Float8.add(c21, Float8.mult(y1, u2));
                    float u3 = a.get(a3 + i * aInner);
                    c30 = Float8.add(c30, Float8.mult(y0, u3));
                    c31 = Float8.add(c31, Float8.mult(y1, u3));
                }
                put(sums, 0, c00);
                put(sums, 8, c01);
                put(sums, 16, c10);
                put(sums, 24, c11);
                put(sums, 32, c20);
                put(sums, 40, c21);
                put(sums, 48, c30);
                put(sums, 56, c31);
                for (int e = 0; e < ROWS * COLUMNS; e++) {
                    int r = row + e / COLUMNS;
                    int j = column + e % COLUMNS;
                    if (r < m && j >= wanted) {
                        GemmProduct.store(d, bias, out, batch * m + r, j, sums[e], from == 0, to == k);
                    }
                }
                from = to;
            } while (from < k);
        }
    }

    private static Float8 load(FloatArray x, int at) {
        return new Float8(
                x.get(at),
                x.get(at + 1),
                x.get(at + 2),
                x.get(at + 3),
                x.get(at + 4),
                x.get(at + 5),
                x.get(at + 6),
                x.get(at + 7));
    }

    /** Stores the lanes of a vector from {@code at} on. */
    private static void put(float[] sums, int at, Float8 vector) {
        sums[at] = vector.getS0();
        sums[at + 1] = vector.getS1();
        sums[at + 2] = vector.getS2();
        sums[at + 3] = vector.getS3();
        sums[at + 4] = vector.getS4();
        sums[at + 5] = vector.getS5();
        sums[at + 6] = vector.getS6();
        sums[at + 7] = vector.getS7();
    }
}
