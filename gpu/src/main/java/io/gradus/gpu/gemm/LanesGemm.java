package io.gradus.gpu.gemm;

import static io.gradus.gpu.runtime.Launcher.floats;

import io.gradus.gpu.runtime.Kernel;
import io.gradus.gpu.runtime.Launcher;
import uk.ac.manchester.tornado.api.KernelContext;
import uk.ac.manchester.tornado.api.types.arrays.FloatArray;
import uk.ac.manchester.tornado.api.types.arrays.IntArray;
import uk.ac.manchester.tornado.api.types.vectors.Float8;

/**
 * Each item computes four rows of sixteen columns in eight vectors of eight: what {@link RowsGemm} leaves to the compiler of a
 * CPU device, which then does not use its vector registers, is written out here. The last columns of a row are computed
 * together with those before them, so that no vector begins or ends outside a row; they are stored once.
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
            RowsGemm.withUprightB(launcher, p, LanesGemm::lanes);
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
                    Float8 y0 = new Float8(
                            b.get(at + 0),
                            b.get(at + 1),
                            b.get(at + 2),
                            b.get(at + 3),
                            b.get(at + 4),
                            b.get(at + 5),
                            b.get(at + 6),
                            b.get(at + 7));
                    Float8 y1 = new Float8(
                            b.get(at + 8),
                            b.get(at + 9),
                            b.get(at + 10),
                            b.get(at + 11),
                            b.get(at + 12),
                            b.get(at + 13),
                            b.get(at + 14),
                            b.get(at + 15));
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
                sums[0] = c00.getS0();
                sums[1] = c00.getS1();
                sums[2] = c00.getS2();
                sums[3] = c00.getS3();
                sums[4] = c00.getS4();
                sums[5] = c00.getS5();
                sums[6] = c00.getS6();
                sums[7] = c00.getS7();
                sums[8] = c01.getS0();
                sums[9] = c01.getS1();
                sums[10] = c01.getS2();
                sums[11] = c01.getS3();
                sums[12] = c01.getS4();
                sums[13] = c01.getS5();
                sums[14] = c01.getS6();
                sums[15] = c01.getS7();
                sums[16] = c10.getS0();
                sums[17] = c10.getS1();
                sums[18] = c10.getS2();
                sums[19] = c10.getS3();
                sums[20] = c10.getS4();
                sums[21] = c10.getS5();
                sums[22] = c10.getS6();
                sums[23] = c10.getS7();
                sums[24] = c11.getS0();
                sums[25] = c11.getS1();
                sums[26] = c11.getS2();
                sums[27] = c11.getS3();
                sums[28] = c11.getS4();
                sums[29] = c11.getS5();
                sums[30] = c11.getS6();
                sums[31] = c11.getS7();
                sums[32] = c20.getS0();
                sums[33] = c20.getS1();
                sums[34] = c20.getS2();
                sums[35] = c20.getS3();
                sums[36] = c20.getS4();
                sums[37] = c20.getS5();
                sums[38] = c20.getS6();
                sums[39] = c20.getS7();
                sums[40] = c21.getS0();
                sums[41] = c21.getS1();
                sums[42] = c21.getS2();
                sums[43] = c21.getS3();
                sums[44] = c21.getS4();
                sums[45] = c21.getS5();
                sums[46] = c21.getS6();
                sums[47] = c21.getS7();
                sums[48] = c30.getS0();
                sums[49] = c30.getS1();
                sums[50] = c30.getS2();
                sums[51] = c30.getS3();
                sums[52] = c30.getS4();
                sums[53] = c30.getS5();
                sums[54] = c30.getS6();
                sums[55] = c30.getS7();
                sums[56] = c31.getS0();
                sums[57] = c31.getS1();
                sums[58] = c31.getS2();
                sums[59] = c31.getS3();
                sums[60] = c31.getS4();
                sums[61] = c31.getS5();
                sums[62] = c31.getS6();
                sums[63] = c31.getS7();
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
}
