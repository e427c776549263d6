package io.gradus.core.cpu.vector.gemm;

import io.gradus.core.cpu.vector.Lanes;
import java.lang.foreign.MemorySegment;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.VectorSpecies;

/**
 * The inner loop of a matrix product: a tile of six rows and four vectors of columns, held in registers over all k. Each step
 * multiplies every element of a column of A by all vectors of a row of B: 24 multiply-adds for 10 loads, enough in flight to
 * hide their latency. (Twelve rows by two vectors need 14 loads for as many multiply-adds, which is slower if another thread
 * shares the core.) With 16 registers instead of 32 the tile is two vectors wide.
 *
 * <p>Operands are packed in panels: A as {@code [depth][ROWS]}, B as {@code [depth][COLUMNS]}. The accumulators are separate
 * local variables because the JIT compiler keeps only those in registers. Each element of the tile is one chain of fused
 * multiply-adds over k, so results do not depend on how a matrix is divided.
 */
final class MicroKernel {
    private static final VectorSpecies<Float> S = Lanes.FLOATS;
    private static final int V = Lanes.COUNT;
    private static final int VECTORS = hasManyRegisters() ? 4 : 2;

    /** Columns of a tile. */
    static final int COLUMNS = VECTORS * V;
    /** Rows of a tile. */
    static final int ROWS = 6;

    private MicroKernel() {}

    private static boolean hasManyRegisters() {
        return FloatVector.SPECIES_PREFERRED.vectorBitSize() >= 512
                || System.getProperty("os.arch", "").equals("aarch64");
    }

    /**
     * {@code c = a·b} for one tile.
     *
     * @param columns the number of columns; the rest of the tile is undefined afterwards
     * @param cStride the distance between rows of the tile in floats
     */
    static void multiply(
            float[] a,
            int aFrom,
            MemorySegment b,
            long bFrom,
            int depth,
            int columns,
            float[] c,
            int cFrom,
            int cStride) {
        if (columns > 2 * V) {
            fourVectors(a, aFrom, b, bFrom, depth, c, cFrom, cStride);
        } else {
            twoVectors(a, aFrom, b, bFrom, depth, c, cFrom, cStride);
        }
    }

    /** Six rows by four vectors. */
    private static void fourVectors(
            float[] a, int aFrom, MemorySegment b, long bFrom, int depth, float[] c, int cFrom, int cStride) {
        FloatVector c00 = FloatVector.zero(S), c01 = c00, c02 = c00, c03 = c00;
        FloatVector c10 = FloatVector.zero(S), c11 = c10, c12 = c10, c13 = c10;
        FloatVector c20 = FloatVector.zero(S), c21 = c20, c22 = c20, c23 = c20;
        FloatVector c30 = FloatVector.zero(S), c31 = c30, c32 = c30, c33 = c30;
        FloatVector c40 = FloatVector.zero(S), c41 = c40, c42 = c40, c43 = c40;
        FloatVector c50 = FloatVector.zero(S), c51 = c50, c52 = c50, c53 = c50;
        for (int k = 0, ak = aFrom; k < depth; k++, ak += ROWS) {
            long bk = bFrom + (long) k * COLUMNS;
            FloatVector b0 = Lanes.load(b, bk), b1 = Lanes.load(b, bk + V);
            FloatVector b2 = Lanes.load(b, bk + 2 * V), b3 = Lanes.load(b, bk + 3 * V);
            FloatVector x = FloatVector.broadcast(S, a[ak]);
            c00 = x.fma(b0, c00);
            c01 = x.fma(b1, c01);
            c02 = x.fma(b2, c02);
            c03 = x.fma(b3, c03);
            x = FloatVector.broadcast(S, a[ak + 1]);
            c10 = x.fma(b0, c10);
            c11 = x.fma(b1, c11);
            c12 = x.fma(b2, c12);
            c13 = x.fma(b3, c13);
            x = FloatVector.broadcast(S, a[ak + 2]);
            c20 = x.fma(b0, c20);
            c21 = x.fma(b1, c21);
            c22 = x.fma(b2, c22);
            c23 = x.fma(b3, c23);
            x = FloatVector.broadcast(S, a[ak + 3]);
            c30 = x.fma(b0, c30);
            c31 = x.fma(b1, c31);
            c32 = x.fma(b2, c32);
            c33 = x.fma(b3, c33);
            x = FloatVector.broadcast(S, a[ak + 4]);
            c40 = x.fma(b0, c40);
            c41 = x.fma(b1, c41);
            c42 = x.fma(b2, c42);
            c43 = x.fma(b3, c43);
            x = FloatVector.broadcast(S, a[ak + 5]);
            c50 = x.fma(b0, c50);
            c51 = x.fma(b1, c51);
            c52 = x.fma(b2, c52);
            c53 = x.fma(b3, c53);
        }
        c00.intoArray(c, cFrom);
        c01.intoArray(c, cFrom + V);
        c02.intoArray(c, cFrom + 2 * V);
        c03.intoArray(c, cFrom + 3 * V);
        c10.intoArray(c, cFrom + cStride);
        c11.intoArray(c, cFrom + cStride + V);
        c12.intoArray(c, cFrom + cStride + 2 * V);
        c13.intoArray(c, cFrom + cStride + 3 * V);
        c20.intoArray(c, cFrom + 2 * cStride);
        c21.intoArray(c, cFrom + 2 * cStride + V);
        c22.intoArray(c, cFrom + 2 * cStride + 2 * V);
        c23.intoArray(c, cFrom + 2 * cStride + 3 * V);
        c30.intoArray(c, cFrom + 3 * cStride);
        c31.intoArray(c, cFrom + 3 * cStride + V);
        c32.intoArray(c, cFrom + 3 * cStride + 2 * V);
        c33.intoArray(c, cFrom + 3 * cStride + 3 * V);
        c40.intoArray(c, cFrom + 4 * cStride);
        c41.intoArray(c, cFrom + 4 * cStride + V);
        c42.intoArray(c, cFrom + 4 * cStride + 2 * V);
        c43.intoArray(c, cFrom + 4 * cStride + 3 * V);
        c50.intoArray(c, cFrom + 5 * cStride);
        c51.intoArray(c, cFrom + 5 * cStride + V);
        c52.intoArray(c, cFrom + 5 * cStride + 2 * V);
        c53.intoArray(c, cFrom + 5 * cStride + 3 * V);
    }

    /** Six rows by the first two vectors of a panel. */
    private static void twoVectors(
            float[] a, int aFrom, MemorySegment b, long bFrom, int depth, float[] c, int cFrom, int cStride) {
        FloatVector c00 = FloatVector.zero(S), c01 = c00;
        FloatVector c10 = FloatVector.zero(S), c11 = c10;
        FloatVector c20 = FloatVector.zero(S), c21 = c20;
        FloatVector c30 = FloatVector.zero(S), c31 = c30;
        FloatVector c40 = FloatVector.zero(S), c41 = c40;
        FloatVector c50 = FloatVector.zero(S), c51 = c50;
        for (int k = 0, ak = aFrom; k < depth; k++, ak += ROWS) {
            long bk = bFrom + (long) k * COLUMNS;
            FloatVector b0 = Lanes.load(b, bk), b1 = Lanes.load(b, bk + V);
            FloatVector x = FloatVector.broadcast(S, a[ak]);
            c00 = x.fma(b0, c00);
            c01 = x.fma(b1, c01);
            x = FloatVector.broadcast(S, a[ak + 1]);
            c10 = x.fma(b0, c10);
            c11 = x.fma(b1, c11);
            x = FloatVector.broadcast(S, a[ak + 2]);
            c20 = x.fma(b0, c20);
            c21 = x.fma(b1, c21);
            x = FloatVector.broadcast(S, a[ak + 3]);
            c30 = x.fma(b0, c30);
            c31 = x.fma(b1, c31);
            x = FloatVector.broadcast(S, a[ak + 4]);
            c40 = x.fma(b0, c40);
            c41 = x.fma(b1, c41);
            x = FloatVector.broadcast(S, a[ak + 5]);
            c50 = x.fma(b0, c50);
            c51 = x.fma(b1, c51);
        }
        c00.intoArray(c, cFrom);
        c01.intoArray(c, cFrom + V);
        c10.intoArray(c, cFrom + cStride);
        c11.intoArray(c, cFrom + cStride + V);
        c20.intoArray(c, cFrom + 2 * cStride);
        c21.intoArray(c, cFrom + 2 * cStride + V);
        c30.intoArray(c, cFrom + 3 * cStride);
        c31.intoArray(c, cFrom + 3 * cStride + V);
        c40.intoArray(c, cFrom + 4 * cStride);
        c41.intoArray(c, cFrom + 4 * cStride + V);
        c50.intoArray(c, cFrom + 5 * cStride);
        c51.intoArray(c, cFrom + 5 * cStride + V);
    }
}
