package io.gradus.gpu.gemm;

import static io.gradus.gpu.runtime.Launcher.floats;

import io.gradus.gpu.runtime.Kernel;
import io.gradus.gpu.runtime.Launcher;
import uk.ac.manchester.tornado.api.KernelContext;
import uk.ac.manchester.tornado.api.types.arrays.FloatArray;
import uk.ac.manchester.tornado.api.types.arrays.IntArray;

/**
 * One work-group per tile of 64 × 64 elements of the result. Each of its 16 × 16 work-items keeps 4 × 4 sums in
 * registers, so it uses each value read from local memory four times, and the group uses each value copied there 64
 * times. The elements of an item are 16 apart, so that neighboring items read neighboring words of local memory and
 * write neighboring elements. A tile of A or B is stored as {@code tile[i][line]} with i along the sums. Its rows are
 * one word longer than needed, so that copying along the sums uses different memory banks.
 *
 * <p>The sums in the inner loop are separate variables, because on some devices a private array is in slow memory.
 * After {@value GemmProduct#PART} products the sums are added to the result and start again from 0.
 */
final class BlockedGemm {
    private static final int SIDE = 16;
    private static final int TILE = 4 * SIDE;
    private static final int DEPTH = 16;
    private static final int STRIDE = TILE + 1;
    private static final int GROUP = SIDE * SIDE;
    private static final Kernel BLOCKED =
            Kernel.of("gemm_blocked", BlockedGemm::blockedKernel).group(SIDE, SIDE);

    private BlockedGemm() {}

    static void run(Launcher launcher, GemmProduct p) {
        long tiles = p.batch() * Math.ceilDiv(p.m(), TILE) * Math.ceilDiv(p.n(), TILE);
        launcher.run(BLOCKED, tiles * SIDE, SIDE, p.ints(tiles), floats(), p.operands());
    }

    private static void blockedKernel(
            KernelContext c, IntArray d, FloatArray s, FloatArray a, FloatArray b, FloatArray bias, FloatArray out) {
        float[] as = c.allocateFloatLocalArray(DEPTH * STRIDE);
        float[] bs = c.allocateFloatLocalArray(DEPTH * STRIDE);
        float[] sums = new float[16];
        int m = d.get(GemmProduct.M);
        int n = d.get(GemmProduct.N);
        int k = d.get(GemmProduct.K);
        int across = (n + TILE - 1) / TILE;
        int down = (m + TILE - 1) / TILE;
        int batch = c.groupIdx / (across * down);
        int row0 = c.groupIdx / across % down * TILE;
        int column0 = c.groupIdx % across * TILE;
        int aRow = d.get(GemmProduct.A_ROW);
        int aInner = d.get(GemmProduct.A_INNER);
        int bInner = d.get(GemmProduct.B_INNER);
        int bColumn = d.get(GemmProduct.B_COLUMN);
        int aTile = GemmProduct.matrix(d, 0, batch) + row0 * aRow;
        int bTile = GemmProduct.matrix(d, 1, batch) + column0 * bColumn;
        int x = c.localIdx;
        int y = c.localIdy;
        int part = 0;
        do {
            int end = part + GemmProduct.PART < k ? part + GemmProduct.PART : k;
            float c00 = 0;
            float c01 = 0;
            float c02 = 0;
            float c03 = 0;
            float c10 = 0;
            float c11 = 0;
            float c12 = 0;
            float c13 = 0;
            float c20 = 0;
            float c21 = 0;
            float c22 = 0;
            float c23 = 0;
            float c30 = 0;
            float c31 = 0;
            float c32 = 0;
            float c33 = 0;
            for (int from = part; from < end; from += DEPTH) {
                for (int e = y * SIDE + x; e < TILE * DEPTH; e += GROUP) {
                    // neighboring items copy adjacent elements
                    int line = aInner == 1 ? e / DEPTH : e % TILE;
                    int along = aInner == 1 ? e % DEPTH : e / TILE;
                    as[along * STRIDE + line] = element(a, aTile, line, m - row0, aRow, from + along, k, aInner);
                    line = bInner == 1 ? e / DEPTH : e % TILE;
                    along = bInner == 1 ? e % DEPTH : e / TILE;
                    bs[along * STRIDE + line] = element(b, bTile, line, n - column0, bColumn, from + along, k, bInner);
                }
                c.localBarrier();
                for (int i = 0; i < DEPTH; i++) {
                    float a0 = as[i * STRIDE + y];
                    float a1 = as[i * STRIDE + y + SIDE];
                    float a2 = as[i * STRIDE + y + 2 * SIDE];
                    float a3 = as[i * STRIDE + y + 3 * SIDE];
                    float b0 = bs[i * STRIDE + x];
                    float b1 = bs[i * STRIDE + x + SIDE];
                    float b2 = bs[i * STRIDE + x + 2 * SIDE];
                    float b3 = bs[i * STRIDE + x + 3 * SIDE];
                    c00 += a0 * b0;
                    c01 += a0 * b1;
                    c02 += a0 * b2;
                    c03 += a0 * b3;
                    c10 += a1 * b0;
                    c11 += a1 * b1;
                    c12 += a1 * b2;
                    c13 += a1 * b3;
                    c20 += a2 * b0;
                    c21 += a2 * b1;
                    c22 += a2 * b2;
                    c23 += a2 * b3;
                    c30 += a3 * b0;
                    c31 += a3 * b1;
                    c32 += a3 * b2;
                    c33 += a3 * b3;
                }
                c.localBarrier();
            }
            sums[0] = c00;
            sums[1] = c01;
            sums[2] = c02;
            sums[3] = c03;
            sums[4] = c10;
            sums[5] = c11;
            sums[6] = c12;
            sums[7] = c13;
            sums[8] = c20;
            sums[9] = c21;
            sums[10] = c22;
            sums[11] = c23;
            sums[12] = c30;
            sums[13] = c31;
            sums[14] = c32;
            sums[15] = c33;
            for (int e = 0; e < 16; e++) {
                int row = row0 + y + e / 4 * SIDE;
                int column = column0 + x + e % 4 * SIDE;
                if (row < m && column < n) {
                    GemmProduct.store(d, bias, out, batch * m + row, column, sums[e], part == 0, end == k);
                }
            }
            part = end;
        } while (part < k);
    }

    /** An element of a tile; 0 outside the operand. */
    private static float element(
            FloatArray x, int tile, int line, int lines, int lineStride, int along, int k, int stride) {
        float element = 0;
        if (line < lines && along < k) {
            element = x.get(tile + line * lineStride + along * stride);
        }
        return element;
    }
}
