package io.gradus.core.cpu.common;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.Arrays;

/**
 * Per-thread scratch memory, kept for the next kernel. A kernel numbers the buffers that it needs at the same time; their
 * contents are undefined.
 */
public final class Scratch {
    /** The off-heap slot for the converted operand of a matrix product; kernels use those below. */
    public static final int CONVERTED = 3;

    /** The first off-heap slot for the operands and results of elementwise kernels. */
    public static final int ELEMENTWISE = 4;

    /** The off-heap slot for an operand of a matrix product in BF16. */
    public static final int BF16 = ELEMENTWISE + 5;

    /** The off-heap slot for what rounding an operand to BF16 leaves. */
    public static final int BF16_REST = BF16 + 1;

    /** The off-heap slot for the F32 sums of a matrix product whose result has 16 bits. */
    public static final int SUMS = BF16_REST + 1;

    /** The first of three off-heap slots for the F32 sums of gradients of 16 bits. */
    public static final int GRADIENTS = SUMS + 1;

    private static final ThreadLocal<Scratch> OF_THREAD = ThreadLocal.withInitial(Scratch::new);
    private static final int SLOTS = 8;
    private static final int MEMORY_SLOTS = GRADIENTS + 3;
    private static final int MIN_LENGTH = 1024;
    private static final int CACHE_LINE = 64;

    private final float[][] floats = new float[SLOTS][0];
    private final double[][] doubles = new double[SLOTS][0];
    private final MemorySegment[] memory = new MemorySegment[MEMORY_SLOTS];

    private Scratch() {
        Arrays.fill(memory, MemorySegment.NULL);
    }

    public static Scratch ofThread() {
        return OF_THREAD.get();
    }

    /** An array of at least {@code length} floats; the same array each time for the same slot, 0 to 7. */
    public float[] floats(int slot, int length) {
        if (floats[slot].length < length) {
            floats[slot] = new float[Math.max(length, MIN_LENGTH)];
        }
        return floats[slot];
    }

    /** An array of at least {@code length} doubles; the same array each time for the same slot, 0 to 7. */
    public double[] doubles(int slot, int length) {
        if (doubles[slot].length < length) {
            doubles[slot] = new double[Math.max(length, MIN_LENGTH)];
        }
        return doubles[slot];
    }

    /** Memory outside the Java heap for at least {@code length} floats; the same each time for the same slot, 0 to 14. */
    public MemorySegment memory(int slot, long length) {
        if (memory[slot].byteSize() < length * 4) {
            memory[slot] = Arena.ofAuto().allocate(length * 4, CACHE_LINE);
        }
        return memory[slot];
    }
}
