package io.gradus.core.cpu.vector;

import java.lang.foreign.MemorySegment;
import java.nio.ByteOrder;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.IntVector;
import jdk.incubator.vector.VectorMask;
import jdk.incubator.vector.VectorOperators;
import jdk.incubator.vector.VectorShape;
import jdk.incubator.vector.VectorShuffle;
import jdk.incubator.vector.VectorSpecies;

/**
 * The vectors of this processor: {@link #COUNT} floats that one instruction works on, and how they come from memory and go
 * back. Constants, so that the JIT compiler knows their width. Places in memory are counted in elements.
 *
 * <p>Floats come in this width only, in the whole program. The compiler goes by the classes that it has seen in the methods of
 * {@link FloatVector}: once it has seen two, it prepares for both wherever it does not know, and keeps vectors as objects for
 * that. (Six floats by a vector of eight, somewhere in packing, made a training step allocate 200 MB to 1 GB.)
 */
public final class Lanes {
    public static final VectorSpecies<Float> FLOATS = floats();
    public static final VectorSpecies<Integer> INTS = FLOATS.withLanes(int.class);
    /** Floats in a vector. */
    public static final int COUNT = FLOATS.length();

    // Turns by half a vector, a quarter and so on, down to one lane.
    private static final VectorShuffle<Float> BY_8 = turn(8);
    private static final VectorShuffle<Float> BY_4 = turn(4);
    private static final VectorShuffle<Float> BY_2 = turn(2);
    private static final VectorShuffle<Float> BY_1 = turn(1);

    private static final Class<? extends FloatVector> TYPE =
            FloatVector.zero(FLOATS).getClass();

    private static final ByteOrder ORDER = ByteOrder.nativeOrder();

    private static final Class<?> OFF_HEAP = MemorySegment.NULL.getClass();

    private Lanes() {}

    private static VectorSpecies<Float> floats() {
        int bits = Math.min(FloatVector.SPECIES_PREFERRED.vectorBitSize(), VectorSupport.maxBits());
        return VectorSpecies.of(float.class, VectorShape.forBitSize(bits));
    }

    public static FloatVector load(MemorySegment memory, long at) {
        return FloatVector.fromMemorySegment(FLOATS, offHeap(memory), at * 4, ORDER);
    }

    /** The lanes of a mask; the others are 0, and their memory is not touched. */
    public static FloatVector load(MemorySegment memory, long at, VectorMask<Float> lanes) {
        return FloatVector.fromMemorySegment(FLOATS, offHeap(memory), at * 4, ORDER, lanes);
    }

    public static FloatVector load(float[] array, int at) {
        return FloatVector.fromArray(FLOATS, array, at);
    }

    public static void store(FloatVector vector, MemorySegment memory, long at) {
        vector.intoMemorySegment(offHeap(memory), at * 4, ORDER);
    }

    public static void store(FloatVector vector, MemorySegment memory, long at, VectorMask<Float> lanes) {
        vector.intoMemorySegment(offHeap(memory), at * 4, ORDER, lanes);
    }

    public static void store(FloatVector vector, float[] array, int at) {
        vector.intoArray(array, at);
    }

    public static IntVector loadInts(MemorySegment memory, long at) {
        return IntVector.fromMemorySegment(INTS, offHeap(memory), at * 4, ORDER);
    }

    /**
     * Tells the JIT compiler that memory is not in the Java heap. It would otherwise go by all stores that ever ran, among them
     * those by which the interpreter moves the bits of a float vector to an int vector (to a {@code byte[]}), and then
     * orders each access against all others: loops take two to three times as long.
     */
    private static MemorySegment offHeap(MemorySegment memory) {
        if (memory.getClass() != OFF_HEAP) {
            throw new IllegalArgumentException("vectors are for memory outside the Java heap, not " + memory);
        }
        return memory;
    }

    /** A mask of the lanes before {@code count}. */
    public static VectorMask<Float> first(long count) {
        return FLOATS.indexInRange(0, count);
    }

    public static FloatVector zero() {
        return FloatVector.zero(FLOATS);
    }

    public static FloatVector broadcast(float value) {
        return FloatVector.broadcast(FLOATS, value);
    }

    private static VectorShuffle<Float> turn(int lanes) {
        return VectorShuffle.iota(FLOATS, lanes % COUNT, 1, true);
    }

    /**
     * The sum of all lanes, as a tree. ({@code reduceLanes(ADD)} adds in one order before the JIT compiler has been at it and
     * in another after: its last bits would change while a program runs.)
     */
    public static float sum(FloatVector vector) {
        if (COUNT > 8) {
            vector = vector.add(vector.rearrange(BY_8));
        }
        if (COUNT > 4) {
            vector = vector.add(vector.rearrange(BY_4));
        }
        vector = vector.add(vector.rearrange(BY_2));
        return vector.add(vector.rearrange(BY_1)).lane(0);
    }

    /** The greater in each lane; where {@code b} is NaN, {@code a}. Two instructions, where the Vector API's takes five. */
    public static FloatVector greater(FloatVector a, FloatVector b) {
        return exact(a).blend(b, exact(b).compare(VectorOperators.GT, a));
    }

    /**
     * Tells the JIT compiler which class a vector has. Where a vector comes round a loop or from a method, it otherwise goes by
     * the classes that were seen there before, and seen they are not always: then the call stays a call, and vectors objects.
     */
    private static FloatVector exact(FloatVector vector) {
        return TYPE.cast(vector);
    }

    /** The greatest of all lanes, none of which is NaN. */
    public static float max(FloatVector vector) {
        if (COUNT > 8) {
            vector = greater(vector, vector.rearrange(BY_8));
        }
        if (COUNT > 4) {
            vector = greater(vector, vector.rearrange(BY_4));
        }
        vector = greater(vector, vector.rearrange(BY_2));
        return greater(vector, vector.rearrange(BY_1)).lane(0);
    }
}
