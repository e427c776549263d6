package io.gradus.core.cpu.vector.gemm;

import io.gradus.core.cpu.common.HugePages;
import io.gradus.core.cpu.machine.PackingKernel;
import io.gradus.core.cpu.vector.Lanes;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;

/**
 * Per-thread buffers for packed operands of matrix products. Columns are read as vectors: they lie outside the Java heap, where
 * vectors are aligned to cache lines with any garbage collector. Rows are read element by element, fastest from arrays.
 */
final class GemmBuffers {
    private static final ThreadLocal<GemmBuffers> OF_THREAD = ThreadLocal.withInitial(GemmBuffers::new);
    private static final int CACHE_LINE = 64;
    /** The number of floats that vectors may write beyond the last panel. */
    private static final int SLACK = 64;

    /** The number of floats in {@link #line}. */
    static final int LINE = 512;

    private MemorySegment sharedTiles = MemorySegment.NULL;
    private MemorySegment tiles = MemorySegment.NULL;
    private MemorySegment edge = MemorySegment.NULL;
    private float[] sharedRows = {};
    private float[] rows = {};
    private MemorySegment sharedColumns = MemorySegment.NULL;
    private MemorySegment columns = MemorySegment.NULL;
    private final float[] tile = new float[Tile.MOST_ROWS * Tile.STRIDE];
    private final float[] square = new float[Panels.SQUARE];

    private final MemorySegment tileSums =
            Arena.ofAuto().allocate(PackingKernel.LINES * TileProduct.WIDTH * 4L, CACHE_LINE);
    private final MemorySegment line = Arena.ofAuto().allocate(LINE * 4L, CACHE_LINE);
    private final MemorySegment vector = Arena.ofAuto().allocate(Lanes.COUNT * 4L, CACHE_LINE);

    private GemmBuffers() {}

    static GemmBuffers ofThread() {
        return OF_THREAD.get();
    }

    /** The buffer for rows that all threads read. */
    float[] sharedRows(int floats) {
        sharedRows = enough(sharedRows, floats);
        return sharedRows;
    }

    /** The buffer for rows that only this thread reads. */
    float[] rows(int floats) {
        rows = enough(rows, floats);
        return rows;
    }

    private static float[] enough(float[] array, int floats) {
        int length = floats + SLACK;
        return array.length >= length ? array : new float[length];
    }

    /** The buffer for columns that all threads read. */
    MemorySegment sharedColumns(int floats) {
        sharedColumns = enough(sharedColumns, floats);
        return sharedColumns;
    }

    /** The buffer for columns that only this thread reads. */
    MemorySegment columns(int floats) {
        columns = enough(columns, floats);
        return columns;
    }

    /** The buffer for panels of tiles that all threads read. */
    MemorySegment sharedTiles(long bytes) {
        sharedTiles = enough(sharedTiles, bytes);
        return sharedTiles;
    }

    /** The buffer for panels of tiles that only this thread reads. */
    MemorySegment tiles(long bytes) {
        tiles = enough(tiles, bytes);
        return tiles;
    }

    /** The buffer for the edge of an operand, filled up to whole panels. */
    MemorySegment edge(long bytes) {
        edge = enough(edge, bytes);
        return edge;
    }

    private static MemorySegment enough(MemorySegment memory, int floats) {
        return enough(memory, (floats + SLACK) * 4L);
    }

    private static MemorySegment enough(MemorySegment memory, long bytes) {
        if (memory.byteSize() >= bytes) {
            return memory;
        }
        MemorySegment larger = Arena.ofAuto().allocate(bytes, CACHE_LINE);
        HugePages.under(larger);
        return larger;
    }

    /** The buffer for a {@link Tile}. */
    float[] tile() {
        return tile;
    }

    /** The buffer for a part of a result in tiles. */
    MemorySegment tileSums() {
        return tileSums;
    }

    /** The buffer for a part of a row of the result. */
    MemorySegment line() {
        return line;
    }

    /** The buffer for one vector. */
    MemorySegment vector() {
        return vector;
    }

    /** The buffer in which {@link Panels} transposes a square. */
    float[] square() {
        return square;
    }
}
