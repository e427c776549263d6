package io.gradus.core.cpu.vector.gemm;

import io.gradus.core.cpu.vector.Lanes;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;

/** What one thread packs the operands of matrix products into. */
final class GemmBuffers {
    private static final ThreadLocal<GemmBuffers> OF_THREAD = ThreadLocal.withInitial(GemmBuffers::new);
    /**
     * Where to begin in an array: HotSpot's G1 collector puts the header of a large array, 16 bytes, at a multiple of 64, so
     * from here on no vector lies in two cache lines.
     */
    static final int ALIGNED = 12;
    /** An array of this many floats is large in that sense, unless the heap has tens of gigabytes. */
    private static final int LARGE = 1 << 20;
    /** What a vector may write beyond the last panel. */
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

    /** Room for the operand that all threads read. */
    float[] shared(int floats) {
        shared = enough(shared, floats);
        return shared;
    }

    /** Room for the operand that this thread alone reads. */
    float[] own(int floats) {
        own = enough(own, floats);
        return own;
    }

    private static float[] enough(float[] array, int floats) {
        int length = ALIGNED + floats + SLACK;
        return array.length >= length ? array : new float[Math.max(length, LARGE)];
    }

    /** Room for {@link Tile}. */
    float[] tile() {
        return tile;
    }

    /** Room for one vector. */
    MemorySegment vector() {
        return vector;
    }

    /** Room in which {@link Panels} turns a square. */
    float[] square() {
        return square;
    }
}
