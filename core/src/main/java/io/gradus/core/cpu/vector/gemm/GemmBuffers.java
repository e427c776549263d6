package io.gradus.core.cpu.vector.gemm;

import io.gradus.core.cpu.vector.Lanes;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;

/** Per-thread buffers for packed operands of matrix products. */
final class GemmBuffers {
    private static final ThreadLocal<GemmBuffers> OF_THREAD = ThreadLocal.withInitial(GemmBuffers::new);
    /**
     * The first index to use in an array. HotSpot's G1 collector aligns the 16-byte header of large arrays to 64 bytes, so from
     * here vectors are aligned to cache lines.
     */
    static final int ALIGNED = 12;
    /** The length from which arrays are large for G1, unless the heap has tens of gigabytes. */
    private static final int LARGE = 1 << 20;
    /** The number of floats that vectors may write beyond the last panel. */
    private static final int SLACK = 64;

    private float[] shared = new float[0];
    private float[] own = new float[0];
    private final float[] tile = new float[ALIGNED + MicroKernel.ROWS * Tile.STRIDE];
    private final float[] square = new float[Panels.SQUARE];

    private final MemorySegment vector = Arena.ofAuto().allocate(Lanes.COUNT * 4L, 64);

    private GemmBuffers() {}

    static GemmBuffers ofThread() {
        return OF_THREAD.get();
    }

    /** The buffer for the operand that all threads read. */
    float[] shared(int floats) {
        shared = enough(shared, floats);
        return shared;
    }

    /** The buffer for the operand that only this thread reads. */
    float[] own(int floats) {
        own = enough(own, floats);
        return own;
    }

    private static float[] enough(float[] array, int floats) {
        int length = ALIGNED + floats + SLACK;
        return array.length >= length ? array : new float[Math.max(length, LARGE)];
    }

    /** The buffer for a {@link Tile}. */
    float[] tile() {
        return tile;
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
