package io.gradus.core.cpu.vector.elementwise;

import io.gradus.core.cpu.common.CpuStorage;
import io.gradus.core.cpu.vector.Lanes;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.stream.IntStream;
import jdk.incubator.vector.FloatVector;

/**
 * Small buffers that a thread works in, kept for its next kernel. They lie outside the Java heap as tensors do, so that a
 * vector loop meets one kind of memory only; what they hold is whatever was left there.
 */
final class Blocks {
    /** Floats in a block; a multiple of every vector's length. */
    static final int SIZE = 1024;

    private static final int SLOTS = 5;
    private static final int ALIGNMENT = 64;
    private static final ThreadLocal<Blocks> OF_THREAD = ThreadLocal.withInitial(Blocks::new);

    private final MemorySegment[] slots = IntStream.range(0, SLOTS)
            .mapToObj(i -> Arena.ofAuto().allocate(SIZE * 4L, ALIGNMENT))
            .toArray(MemorySegment[]::new);

    private Blocks() {}

    static Blocks ofThread() {
        return OF_THREAD.get();
    }

    /** The same one each time for the same slot, 0 to 4. */
    MemorySegment get(int slot) {
        return slots[slot];
    }

    /** A block that begins with {@code count} floats from element {@code from} on. */
    MemorySegment copy(int slot, MemorySegment source, long from, long count) {
        MemorySegment.copy(source, from * 4, slots[slot], 0, count * 4);
        return slots[slot];
    }

    /** A block of which the first {@code count} elements are one float (or int, as four bytes). */
    MemorySegment repeat(int slot, MemorySegment source, long at, int count) {
        FloatVector value = Lanes.broadcast(CpuStorage.get(source, at));
        for (int i = 0; i < count; i += Lanes.COUNT) {
            Lanes.store(value, slots[slot], i);
        }
        return slots[slot];
    }
}
