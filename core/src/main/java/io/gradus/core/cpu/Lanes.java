package io.gradus.core.cpu;

import java.lang.foreign.MemorySegment;
import java.nio.ByteOrder;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.IntVector;
import jdk.incubator.vector.VectorMask;
import jdk.incubator.vector.VectorShape;
import jdk.incubator.vector.VectorSpecies;

/**
 * The vectors of this processor: {@link #COUNT} floats that one instruction works on, and how they come from memory and go
 * back. Constants, so that the JIT compiler knows their width. Places in memory are counted in elements.
 */
final class Lanes {
    static final VectorSpecies<Float> FLOATS = floats();
    static final VectorSpecies<Integer> INTS = FLOATS.withLanes(int.class);
    /** Floats in a vector. */
    static final int COUNT = FLOATS.length();

    private static final ByteOrder ORDER = ByteOrder.nativeOrder();

    private Lanes() {}

    private static VectorSpecies<Float> floats() {
        int bits = Math.min(FloatVector.SPECIES_PREFERRED.vectorBitSize(), VectorSupport.maxBits());
        return VectorSpecies.of(float.class, VectorShape.forBitSize(bits));
    }

    static FloatVector load(MemorySegment memory, long at) {
        return FloatVector.fromMemorySegment(FLOATS, memory, at * 4, ORDER);
    }

    /** The lanes of a mask; the others are 0, and their memory is not touched. */
    static FloatVector load(MemorySegment memory, long at, VectorMask<Float> lanes) {
        return FloatVector.fromMemorySegment(FLOATS, memory, at * 4, ORDER, lanes);
    }

    static FloatVector load(float[] array, int at) {
        return FloatVector.fromArray(FLOATS, array, at);
    }

    static void store(FloatVector vector, MemorySegment memory, long at) {
        vector.intoMemorySegment(memory, at * 4, ORDER);
    }

    static void store(FloatVector vector, MemorySegment memory, long at, VectorMask<Float> lanes) {
        vector.intoMemorySegment(memory, at * 4, ORDER, lanes);
    }

    static IntVector loadInts(MemorySegment memory, long at) {
        return IntVector.fromMemorySegment(INTS, memory, at * 4, ORDER);
    }

    /** A mask of the lanes before {@code count}. */
    static VectorMask<Float> first(long count) {
        return FLOATS.indexInRange(0, count);
    }

    static FloatVector zero() {
        return FloatVector.zero(FLOATS);
    }

    static FloatVector broadcast(float value) {
        return FloatVector.broadcast(FLOATS, value);
    }
}
