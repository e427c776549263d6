package io.gradus.core.cpu.vector;

import io.gradus.core.cpu.common.Scratch;
import io.gradus.core.cpu.vector.gemm.Matrix;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.Arrays;

/** {@link Scratch} outside the Java heap, for what is an operand of a matrix product. */
public final class ScratchMemory {
    private static final ThreadLocal<ScratchMemory> OF_THREAD = ThreadLocal.withInitial(ScratchMemory::new);
    /** The slot of {@link Matrix#floats}; kernels number theirs below it. */
    public static final int CONVERTED = 3;

    private static final int SLOTS = 4;
    private static final int CACHE_LINE = 64;

    private final MemorySegment[] slots = new MemorySegment[SLOTS];

    private ScratchMemory() {
        Arrays.fill(slots, MemorySegment.NULL);
    }

    public static ScratchMemory ofThread() {
        return OF_THREAD.get();
    }

    /** Room for at least so many floats; the same each time for the same slot, 0 to 3. */
    public MemorySegment floats(int slot, long floats) {
        if (slots[slot].byteSize() < floats * 4) {
            slots[slot] = Arena.ofAuto().allocate(floats * 4, CACHE_LINE);
        }
        return slots[slot];
    }
}
