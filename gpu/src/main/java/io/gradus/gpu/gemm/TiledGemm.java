package io.gradus.gpu.gemm;

import static io.gradus.gpu.runtime.Launcher.floats;

import io.gradus.gpu.runtime.Kernel;
import io.gradus.gpu.runtime.Launcher;
import uk.ac.manchester.tornado.api.KernelContext;
import uk.ac.manchester.tornado.api.types.arrays.FloatArray;
import uk.ac.manchester.tornado.api.types.arrays.IntArray;

/**
 * One work-group per tile of 16 × 16 elements of the result. It copies a tile of A and a tile of B to local memory,
 * reads each element there 16 times, and moves on along the sums. Neighboring work-items read neighboring elements,
 * whether an operand is transposed or not. The rows of a tile are one element longer than needed, so that a column is
 * spread over the memory banks.
 */
final class TiledGemm {
    private static final int TILE = 16;
    private static final int STRIDE = TILE + 1;
    private static final Kernel TILED =
            Kernel.of("gemm_tiled", TiledGemm::tiledKernel).group(TILE * TILE, 1);

    private TiledGemm() {}

    static void run(Launcher launcher, GemmProduct p) {
        long tiles = p.batch() * Math.ceilDiv(p.m(), TILE) * Math.ceilDiv(p.n(), TILE);
        launcher.run(TILED, tiles * TILE * TILE, p.ints(tiles), floats(), p.operands());
    }

    private static void tiledKernel(
            KernelContext c, IntArray d, FloatArray s, FloatArray a, FloatArray b, FloatArray bias, FloatArray out) {
        float[] as = c.allocateFloatLocalArray(TILE * STRIDE);
        float[] bs = c.allocateFloatLocalArray(TILE * STRIDE);
        int m = d.get(GemmProduct.M);
        int n = d.get(GemmProduct.N);
        int k = d.get(GemmProduct.K);
        int across = (n + TILE - 1) / TILE;
        int down = (m + TILE - 1) / TILE;
        int tile = c.groupIdx;
        int batch = tile / (across * down);
        int row0 = tile / across % down * TILE;
        int column0 = tile % across * TILE;
        int aRow = d.get(GemmProduct.A_ROW);
        int aInner = d.get(GemmProduct.A_INNER);
        int bInner = d.get(GemmProduct.B_INNER);
        int bColumn = d.get(GemmProduct.B_COLUMN);
        int aMatrix = GemmProduct.matrix(d, 0, batch);
        int bMatrix = GemmProduct.matrix(d, 1, batch);
        int x = c.localIdx % TILE;
        int y = c.localIdx / TILE;
        // which element of a tile of A, and of B, this item copies
        int aLine = aInner == 1 ? y : x;
        int aAlong = aInner == 1 ? x : y;
        int bLine = bInner == 1 ? y : x;
        int bAlong = bInner == 1 ? x : y;
        float sum = 0;
        float part = 0;
        for (int from = 0; from < k; from += TILE) {
            float element = 0;
            if (row0 + aLine < m && from + aAlong < k) {
                element = a.get(aMatrix + (row0 + aLine) * aRow + (from + aAlong) * aInner);
            }
            as[aLine * STRIDE + aAlong] = element;
            element = 0;
            if (column0 + bLine < n && from + bAlong < k) {
                element = b.get(bMatrix + (column0 + bLine) * bColumn + (from + bAlong) * bInner);
            }
            bs[bLine * STRIDE + bAlong] = element;
            c.localBarrier();
            for (int i = 0; i < TILE; i++) {
                part += as[y * STRIDE + i] * bs[x * STRIDE + i];
            }
            c.localBarrier();
            if (from % GemmProduct.PART == GemmProduct.PART - TILE) {
                sum += part;
                part = 0;
            }
        }
        if (row0 + y < m && column0 + x < n) {
            GemmProduct.store(d, bias, out, batch * m + row0 + y, column0 + x, sum + part, true, true);
        }
    }
}
