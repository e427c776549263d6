package io.gradus.gpu.gemm;

import static io.gradus.gpu.runtime.Launcher.floats;
import static io.gradus.gpu.runtime.Launcher.ints;

import io.gradus.core.DType;
import io.gradus.gpu.runtime.Kernel;
import io.gradus.gpu.runtime.Launcher;
import io.gradus.gpu.runtime.Workspace;
import java.util.function.BiConsumer;
import uk.ac.manchester.tornado.api.KernelContext;
import uk.ac.manchester.tornado.api.types.arrays.FloatArray;
import uk.ac.manchester.tornado.api.types.arrays.IntArray;

/**
 * Each work-item computes eight rows of one column, so it reads an element of B once for eight elements of A. All
 * operands stay in global memory: the caches of a CPU work better than copies to local memory. Four products are added
 * before they are added to the sum, so a sum is updated a quarter as often. Neighboring items need neighboring columns
 * of B, so a transposed B is transposed first, which is cheap compared to a product of many rows.
 */
final class RowsGemm {
    private static final int ROWS = 8;
    private static final int GROUP = 128;
    private static final Kernel KERNEL =
            Kernel.of("gemm_rows", RowsGemm::rowsKernel).group(GROUP, 1);
    private static final Kernel TRANSPOSE = Kernel.of("gemm_transpose", RowsGemm::transposeKernel);

    // The descriptor of the transposition.
    private static final int X = 0;
    private static final int OUT = 1;
    private static final int SIZE = Kernel.INTS;
    private static final int ROWS_OF_X = Kernel.INTS + 1;
    private static final int COLUMNS_OF_X = Kernel.INTS + 2;

    private RowsGemm() {}

    static void run(Launcher launcher, GemmProduct p) {
        if (p.m() < ROWS / 2 && p.transposeB()) {
            NaiveGemm.run(launcher, p);
        } else {
            withTransposedB(launcher, p, RowsGemm::rows);
        }
    }

    /** Computes a product after transposing b, if needed. */
    static void withTransposedB(Launcher launcher, GemmProduct p, BiConsumer<Launcher, GemmProduct> kernel) {
        if (!p.transposeB()) {
            kernel.accept(launcher, p);
            return;
        }
        try (Workspace b = Workspace.of(p.b(), DType.F32, p.b().shape())) {
            long n = b.tensor().size();
            launcher.run(TRANSPOSE, n, ints(n, p.n(), p.k()), floats(), p.b(), b.tensor());
            kernel.accept(launcher, p.withTransposedB(b.tensor()));
        }
    }

    private static void rows(Launcher launcher, GemmProduct p) {
        long groups = p.batch() * Math.ceilDiv(p.m(), ROWS) * Math.ceilDiv(p.n(), GROUP);
        launcher.run(KERNEL, groups * GROUP, p.ints(groups), floats(), p.operands());
    }

    /** Transposes each matrix [n, k] of x to [k, n]. */
    private static void transposeKernel(KernelContext c, IntArray d, FloatArray s, FloatArray x, FloatArray out) {
        int i = c.globalIdx;
        if (i < d.get(SIZE)) {
            int n = d.get(ROWS_OF_X);
            int k = d.get(COLUMNS_OF_X);
            int size = n * k;
            int within = i % size;
            out.set(d.get(OUT) + i, x.get(d.get(X) + (i - within) + within % n * k + within / n));
        }
    }

    private static void rowsKernel(
            KernelContext c, IntArray d, FloatArray s, FloatArray a, FloatArray b, FloatArray bias, FloatArray out) {
        float[] sums = new float[ROWS];
        int m = d.get(GemmProduct.M);
        int n = d.get(GemmProduct.N);
        int k = d.get(GemmProduct.K);
        int across = (n + GROUP - 1) / GROUP;
        int down = (m + ROWS - 1) / ROWS;
        int group = c.groupIdx;
        int row = group / across % down * ROWS;
        int batch = group / (across * down);
        int column = group % across * GROUP + c.localIdx;
        if (column < n) {
            int aInner = d.get(GemmProduct.A_INNER);
            int aRow = d.get(GemmProduct.A_ROW);
            int last = m - 1;
            int aMatrix = GemmProduct.matrix(d, 0, batch);
            int a0 = aMatrix + row * aRow;
            int a1 = aMatrix + (row + 1 < m ? row + 1 : last) * aRow;
            int a2 = aMatrix + (row + 2 < m ? row + 2 : last) * aRow;
            int a3 = aMatrix + (row + 3 < m ? row + 3 : last) * aRow;
            int a4 = aMatrix + (row + 4 < m ? row + 4 : last) * aRow;
            int a5 = aMatrix + (row + 5 < m ? row + 5 : last) * aRow;
            int a6 = aMatrix + (row + 6 < m ? row + 6 : last) * aRow;
            int a7 = aMatrix + (row + 7 < m ? row + 7 : last) * aRow;
            int b0 = GemmProduct.matrix(d, 1, batch) + column;
            int from = 0;
            do {
                int to = from + GemmProduct.PART < k ? from + GemmProduct.PART : k;
                float c0 = 0;
                float c1 = 0;
                float c2 = 0;
                float c3 = 0;
                float c4 = 0;
                float c5 = 0;
                float c6 = 0;
                float c7 = 0;
                int i = from;
                for (; i + 4 <= to; i += 4) {
                    float y0 = b.get(b0 + i * n);
                    float y1 = b.get(b0 + (i + 1) * n);
                    float y2 = b.get(b0 + (i + 2) * n);
                    float y3 = b.get(b0 + (i + 3) * n);
                    int x0 = i * aInner;
                    int x1 = x0 + aInner;
                    int x2 = x1 + aInner;
                    int x3 = x2 + aInner;
                    c0 += a.get(a0 + x0) * y0 + a.get(a0 + x1) * y1 + a.get(a0 + x2) * y2 + a.get(a0 + x3) * y3;
                    c1 += a.get(a1 + x0) * y0 + a.get(a1 + x1) * y1 + a.get(a1 + x2) * y2 + a.get(a1 + x3) * y3;
                    c2 += a.get(a2 + x0) * y0 + a.get(a2 + x1) * y1 + a.get(a2 + x2) * y2 + a.get(a2 + x3) * y3;
                    c3 += a.get(a3 + x0) * y0 + a.get(a3 + x1) * y1 + a.get(a3 + x2) * y2 + a.get(a3 + x3) * y3;
                    c4 += a.get(a4 + x0) * y0 + a.get(a4 + x1) * y1 + a.get(a4 + x2) * y2 + a.get(a4 + x3) * y3;
                    c5 += a.get(a5 + x0) * y0 + a.get(a5 + x1) * y1 + a.get(a5 + x2) * y2 + a.get(a5 + x3) * y3;
                    c6 += a.get(a6 + x0) * y0 + a.get(a6 + x1) * y1 + a.get(a6 + x2) * y2 + a.get(a6 + x3) * y3;
                    c7 += a.get(a7 + x0) * y0 + a.get(a7 + x1) * y1 + a.get(a7 + x2) * y2 + a.get(a7 + x3) * y3;
                }
                for (; i < to; i++) {
                    float y = b.get(b0 + i * n);
                    int x = i * aInner;
                    c0 += a.get(a0 + x) * y;
                    c1 += a.get(a1 + x) * y;
                    c2 += a.get(a2 + x) * y;
                    c3 += a.get(a3 + x) * y;
                    c4 += a.get(a4 + x) * y;
                    c5 += a.get(a5 + x) * y;
                    c6 += a.get(a6 + x) * y;
                    c7 += a.get(a7 + x) * y;
                }
                sums[0] = c0;
                sums[1] = c1;
                sums[2] = c2;
                sums[3] = c3;
                sums[4] = c4;
                sums[5] = c5;
                sums[6] = c6;
                sums[7] = c7;
                for (int r = 0; r < ROWS; r++) {
                    if (row + r < m) {
                        GemmProduct.store(d, bias, out, batch * m + row + r, column, sums[r], from == 0, to == k);
                    }
                }
                from = to;
            } while (from < k);
        }
    }
}
