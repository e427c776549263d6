package io.gradus.core.cpu;

import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.VectorSpecies;

/**
 * The innermost loop of a matrix product: a tile of a few rows and two vectors of columns, held in registers while k runs. In
 * each step every element of a column of A meets both vectors of a row of B, so 12 rows do 24 multiply-adds for 14 loads, and
 * have enough of them under way at once to hide their latency.
 *
 * <p>Operands are packed in panels: A as {@code [depth][rows]}, B as {@code [depth][COLUMNS]}. The accumulators are written out
 * one by one because the JIT compiler keeps vectors in registers only where they are local variables. Each element of the
 * tile is one chain of fused multiply-adds over k, whatever the tile's height: where a matrix is cut does not show in the
 * result.
 */
final class MicroKernel {
    private static final VectorSpecies<Float> S = Lanes.FLOATS;
    private static final int V = Lanes.COUNT;

    /** Columns of a tile. */
    static final int COLUMNS = 2 * V;
    /** Rows of a full tile: what fits 32 vector registers, or 16. */
    static final int ROWS = hasManyRegisters() ? 12 : 4;

    private MicroKernel() {}

    private static boolean hasManyRegisters() {
        return FloatVector.SPECIES_PREFERRED.vectorBitSize() >= 512
                || System.getProperty("os.arch", "").equals("aarch64");
    }

    /** The height of the tile that serves the last {@code rows} rows: 4, 8 or 12, {@link #ROWS} at most. */
    static int height(int rows) {
        return rows > 8 ? ROWS : Math.min(ROWS, rows > 4 ? 8 : 4);
    }

    /**
     * {@code c = a·b} for one tile.
     *
     * @param height 4, 8 or 12, as the panel at {@code aFrom} was packed
     * @param cStride floats from one row of the tile to the next
     */
    static void multiply(
            int height, float[] a, int aFrom, float[] b, int bFrom, int depth, float[] c, int cFrom, int cStride) {
        switch (height) {
            case 12 -> rows12(a, aFrom, b, bFrom, depth, c, cFrom, cStride);
            case 8 -> rows8(a, aFrom, b, bFrom, depth, c, cFrom, cStride);
            default -> rows4(a, aFrom, b, bFrom, depth, c, cFrom, cStride);
        }
    }

    /** 12 rows. */
    private static void rows12(
            float[] a, int aFrom, float[] b, int bFrom, int depth, float[] c, int cFrom, int cStride) {
        FloatVector c0l = FloatVector.zero(S), c0r = c0l;
        FloatVector c1l = FloatVector.zero(S), c1r = c1l;
        FloatVector c2l = FloatVector.zero(S), c2r = c2l;
        FloatVector c3l = FloatVector.zero(S), c3r = c3l;
        FloatVector c4l = FloatVector.zero(S), c4r = c4l;
        FloatVector c5l = FloatVector.zero(S), c5r = c5l;
        FloatVector c6l = FloatVector.zero(S), c6r = c6l;
        FloatVector c7l = FloatVector.zero(S), c7r = c7l;
        FloatVector c8l = FloatVector.zero(S), c8r = c8l;
        FloatVector c9l = FloatVector.zero(S), c9r = c9l;
        FloatVector c10l = FloatVector.zero(S), c10r = c10l;
        FloatVector c11l = FloatVector.zero(S), c11r = c11l;
        int bEnd = bFrom + depth * COLUMNS;
        for (int bk = bFrom, ak = aFrom; bk < bEnd; bk += COLUMNS, ak += 12) {
            FloatVector bl = FloatVector.fromArray(S, b, bk), br = FloatVector.fromArray(S, b, bk + V);
            FloatVector x = FloatVector.broadcast(S, a[ak]);
            c0l = x.fma(bl, c0l);
            c0r = x.fma(br, c0r);
            x = FloatVector.broadcast(S, a[ak + 1]);
            c1l = x.fma(bl, c1l);
            c1r = x.fma(br, c1r);
            x = FloatVector.broadcast(S, a[ak + 2]);
            c2l = x.fma(bl, c2l);
            c2r = x.fma(br, c2r);
            x = FloatVector.broadcast(S, a[ak + 3]);
            c3l = x.fma(bl, c3l);
            c3r = x.fma(br, c3r);
            x = FloatVector.broadcast(S, a[ak + 4]);
            c4l = x.fma(bl, c4l);
            c4r = x.fma(br, c4r);
            x = FloatVector.broadcast(S, a[ak + 5]);
            c5l = x.fma(bl, c5l);
            c5r = x.fma(br, c5r);
            x = FloatVector.broadcast(S, a[ak + 6]);
            c6l = x.fma(bl, c6l);
            c6r = x.fma(br, c6r);
            x = FloatVector.broadcast(S, a[ak + 7]);
            c7l = x.fma(bl, c7l);
            c7r = x.fma(br, c7r);
            x = FloatVector.broadcast(S, a[ak + 8]);
            c8l = x.fma(bl, c8l);
            c8r = x.fma(br, c8r);
            x = FloatVector.broadcast(S, a[ak + 9]);
            c9l = x.fma(bl, c9l);
            c9r = x.fma(br, c9r);
            x = FloatVector.broadcast(S, a[ak + 10]);
            c10l = x.fma(bl, c10l);
            c10r = x.fma(br, c10r);
            x = FloatVector.broadcast(S, a[ak + 11]);
            c11l = x.fma(bl, c11l);
            c11r = x.fma(br, c11r);
        }
        c0l.intoArray(c, cFrom);
        c0r.intoArray(c, cFrom + V);
        c1l.intoArray(c, cFrom + cStride);
        c1r.intoArray(c, cFrom + cStride + V);
        c2l.intoArray(c, cFrom + 2 * cStride);
        c2r.intoArray(c, cFrom + 2 * cStride + V);
        c3l.intoArray(c, cFrom + 3 * cStride);
        c3r.intoArray(c, cFrom + 3 * cStride + V);
        c4l.intoArray(c, cFrom + 4 * cStride);
        c4r.intoArray(c, cFrom + 4 * cStride + V);
        c5l.intoArray(c, cFrom + 5 * cStride);
        c5r.intoArray(c, cFrom + 5 * cStride + V);
        c6l.intoArray(c, cFrom + 6 * cStride);
        c6r.intoArray(c, cFrom + 6 * cStride + V);
        c7l.intoArray(c, cFrom + 7 * cStride);
        c7r.intoArray(c, cFrom + 7 * cStride + V);
        c8l.intoArray(c, cFrom + 8 * cStride);
        c8r.intoArray(c, cFrom + 8 * cStride + V);
        c9l.intoArray(c, cFrom + 9 * cStride);
        c9r.intoArray(c, cFrom + 9 * cStride + V);
        c10l.intoArray(c, cFrom + 10 * cStride);
        c10r.intoArray(c, cFrom + 10 * cStride + V);
        c11l.intoArray(c, cFrom + 11 * cStride);
        c11r.intoArray(c, cFrom + 11 * cStride + V);
    }

    /** 8 rows. */
    private static void rows8(
            float[] a, int aFrom, float[] b, int bFrom, int depth, float[] c, int cFrom, int cStride) {
        FloatVector c0l = FloatVector.zero(S), c0r = c0l;
        FloatVector c1l = FloatVector.zero(S), c1r = c1l;
        FloatVector c2l = FloatVector.zero(S), c2r = c2l;
        FloatVector c3l = FloatVector.zero(S), c3r = c3l;
        FloatVector c4l = FloatVector.zero(S), c4r = c4l;
        FloatVector c5l = FloatVector.zero(S), c5r = c5l;
        FloatVector c6l = FloatVector.zero(S), c6r = c6l;
        FloatVector c7l = FloatVector.zero(S), c7r = c7l;
        int bEnd = bFrom + depth * COLUMNS;
        for (int bk = bFrom, ak = aFrom; bk < bEnd; bk += COLUMNS, ak += 8) {
            FloatVector bl = FloatVector.fromArray(S, b, bk), br = FloatVector.fromArray(S, b, bk + V);
            FloatVector x = FloatVector.broadcast(S, a[ak]);
            c0l = x.fma(bl, c0l);
            c0r = x.fma(br, c0r);
            x = FloatVector.broadcast(S, a[ak + 1]);
            c1l = x.fma(bl, c1l);
            c1r = x.fma(br, c1r);
            x = FloatVector.broadcast(S, a[ak + 2]);
            c2l = x.fma(bl, c2l);
            c2r = x.fma(br, c2r);
            x = FloatVector.broadcast(S, a[ak + 3]);
            c3l = x.fma(bl, c3l);
            c3r = x.fma(br, c3r);
            x = FloatVector.broadcast(S, a[ak + 4]);
            c4l = x.fma(bl, c4l);
            c4r = x.fma(br, c4r);
            x = FloatVector.broadcast(S, a[ak + 5]);
            c5l = x.fma(bl, c5l);
            c5r = x.fma(br, c5r);
            x = FloatVector.broadcast(S, a[ak + 6]);
            c6l = x.fma(bl, c6l);
            c6r = x.fma(br, c6r);
            x = FloatVector.broadcast(S, a[ak + 7]);
            c7l = x.fma(bl, c7l);
            c7r = x.fma(br, c7r);
        }
        c0l.intoArray(c, cFrom);
        c0r.intoArray(c, cFrom + V);
        c1l.intoArray(c, cFrom + cStride);
        c1r.intoArray(c, cFrom + cStride + V);
        c2l.intoArray(c, cFrom + 2 * cStride);
        c2r.intoArray(c, cFrom + 2 * cStride + V);
        c3l.intoArray(c, cFrom + 3 * cStride);
        c3r.intoArray(c, cFrom + 3 * cStride + V);
        c4l.intoArray(c, cFrom + 4 * cStride);
        c4r.intoArray(c, cFrom + 4 * cStride + V);
        c5l.intoArray(c, cFrom + 5 * cStride);
        c5r.intoArray(c, cFrom + 5 * cStride + V);
        c6l.intoArray(c, cFrom + 6 * cStride);
        c6r.intoArray(c, cFrom + 6 * cStride + V);
        c7l.intoArray(c, cFrom + 7 * cStride);
        c7r.intoArray(c, cFrom + 7 * cStride + V);
    }

    /** 4 rows. */
    private static void rows4(
            float[] a, int aFrom, float[] b, int bFrom, int depth, float[] c, int cFrom, int cStride) {
        FloatVector c0l = FloatVector.zero(S), c0r = c0l;
        FloatVector c1l = FloatVector.zero(S), c1r = c1l;
        FloatVector c2l = FloatVector.zero(S), c2r = c2l;
        FloatVector c3l = FloatVector.zero(S), c3r = c3l;
        int bEnd = bFrom + depth * COLUMNS;
        for (int bk = bFrom, ak = aFrom; bk < bEnd; bk += COLUMNS, ak += 4) {
            FloatVector bl = FloatVector.fromArray(S, b, bk), br = FloatVector.fromArray(S, b, bk + V);
            FloatVector x = FloatVector.broadcast(S, a[ak]);
            c0l = x.fma(bl, c0l);
            c0r = x.fma(br, c0r);
            x = FloatVector.broadcast(S, a[ak + 1]);
            c1l = x.fma(bl, c1l);
            c1r = x.fma(br, c1r);
            x = FloatVector.broadcast(S, a[ak + 2]);
            c2l = x.fma(bl, c2l);
            c2r = x.fma(br, c2r);
            x = FloatVector.broadcast(S, a[ak + 3]);
            c3l = x.fma(bl, c3l);
            c3r = x.fma(br, c3r);
        }
        c0l.intoArray(c, cFrom);
        c0r.intoArray(c, cFrom + V);
        c1l.intoArray(c, cFrom + cStride);
        c1r.intoArray(c, cFrom + cStride + V);
        c2l.intoArray(c, cFrom + 2 * cStride);
        c2r.intoArray(c, cFrom + 2 * cStride + V);
        c3l.intoArray(c, cFrom + 3 * cStride);
        c3r.intoArray(c, cFrom + 3 * cStride + V);
    }
}
