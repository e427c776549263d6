package io.gradus.gpu.attention;

import uk.ac.manchester.tornado.api.types.arrays.FloatArray;

/**
 * Tiles of 32 × 32 elements, for kernels. A work-group has 16 × 16 items; item (x, y) computes the four elements of rows y and
 * y + 16 and columns x and x + 16. In memory, a tile is part of a tensor {@code [B, N, heads, D]}: a <em>line</em> is the D
 * elements of one query or key of one head, and consecutive lines of a head are {@code heads·D} elements apart.
 *
 * <p>Local arrays cannot be passed to a method (see the package {@code io.gradus.gpu}), so kernels fill and read them themselves.
 */
final class Tile {
    static final int SIDE = 16;
    static final int TILE = 2 * SIDE;
    static final int GROUP = SIDE * SIDE;
    /** Elements of a tile's row in local memory: one more than needed, so that a column is spread over the memory banks. */
    static final int STRIDE = TILE + 1;

    private Tile() {}

    /** Where element e of a tile is kept in local memory when lines are rows. */
    static int byRow(int e) {
        return e / TILE * STRIDE + e % TILE;
    }

    /** Where element e of a tile is kept in local memory when lines are columns. */
    static int byColumn(int e) {
        return e % TILE * STRIDE + e / TILE;
    }

    /**
     * Element e of a tile, or 0 beyond its {@code lines} lines of {@code dims} elements.
     *
     * @param at where the first line of the tile begins
     * @param stride from one line to the next
     * @param from the element of a line at which the tile begins
     */
    static float element(FloatArray x, int at, int stride, int lines, int e, int from, int dims) {
        float element = 0;
        int line = e / TILE;
        int along = from + e % TILE;
        if (line < lines && along < dims) {
            element = x.get(at + line * stride + along);
        }
        return element;
    }

    /**
     * Adds this item's four elements to a tile: {@code out = out·factor + part}. At the {@code beginning}, what out holds is
     * ignored.
     *
     * @param factor0 for row y; factor1 for row y + 16
     */
    static void add(
            FloatArray out,
            int at,
            int stride,
            int lines,
            int y,
            int column,
            int dims,
            float factor0,
            float factor1,
            float part00,
            float part01,
            float part10,
            float part11,
            boolean beginning) {
        add(out, at, stride, lines, y, column, dims, factor0, part00, beginning);
        add(out, at, stride, lines, y, column + SIDE, dims, factor0, part01, beginning);
        add(out, at, stride, lines, y + SIDE, column, dims, factor1, part10, beginning);
        add(out, at, stride, lines, y + SIDE, column + SIDE, dims, factor1, part11, beginning);
    }

    private static void add(
            FloatArray out,
            int tile,
            int stride,
            int lines,
            int line,
            int column,
            int dims,
            float factor,
            float part,
            boolean beginning) {
        if (line < lines && column < dims) {
            int at = tile + line * stride + column;
            float y = part;
            if (!beginning) {
                y += out.get(at) * factor;
            }
            out.set(at, y);
        }
    }
}
