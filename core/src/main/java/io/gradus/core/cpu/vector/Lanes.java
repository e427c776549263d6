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
 * The vectors of this processor, with {@link #COUNT} floats each, and their loads and stores. The species are constants, so that
 * the JIT compiler knows their width. Offsets in memory are in elements.
 *
 * <p>The whole program uses float vectors of this width only. The JIT compiler relies on the classes seen in the methods of
 * {@link FloatVector}. After it has seen two, code where the class is unknown handles both, and allocates vectors as objects.
 * (A vector of eight for six floats, in packing only, made a training step allocate 200 MB to 1 GB.)
 */
public final class Lanes {
    public static final VectorSpecies<Float> FLOATS = floats();
    public static final VectorSpecies<Integer> INTS = FLOATS.withLanes(int.class);
    /** Floats in a vector. */
    public static final int COUNT = FLOATS.length();

    // Rotations by half a vector, a quarter, and so on, down to one lane.
    private static final VectorShuffle<Float> BY_8 = turn(8);
    private static final VectorShuffle<Float> BY_4 = turn(4);
    private static final VectorShuffle<Float> BY_2 = turn(2);
    private static final VectorShuffle<Float> BY_1 = turn(1);

    private static final Class<? extends FloatVector> TYPE =
            FloatVector.zero(FLOATS).getClass();

    private static final ByteOrder ORDER = ByteOrder.nativeOrder();

    private static final Class<?> OFF_HEAP = MemorySegment.NULL.getClass();

    /** A thread that never runs: memory that it may access belongs to no thread. */
    private static final Thread ANY_THREAD = Thread.ofPlatform().unstarted(() -> {});

    private Lanes() {}

    private static VectorSpecies<Float> floats() {
        int bits = Math.min(FloatVector.SPECIES_PREFERRED.vectorBitSize(), VectorSupport.maxBits());
        return VectorSpecies.of(float.class, VectorShape.forBitSize(bits));
    }

    public static FloatVector load(MemorySegment memory, long at) {
        return FloatVector.fromMemorySegment(FLOATS, offHeap(memory), at * 4, ORDER);
    }

    /** Loads the lanes of a mask. The others are 0, and their memory is not accessed. */
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
     * Tells the JIT compiler that memory is outside the Java heap. Otherwise its profile would include the interpreter's own stores
     * to a {@code byte[]} (for converting float vectors to int vectors), and it would order each access after all others: loops
     * would take two to three times as long.
     *
     * <p>It also tells the compiler that the memory belongs to no thread. Each access checks this. Where other code has read memory
     * of one thread before, the compiler would expect that of a long loop too, and check the thread before the loop. The check
     * would fail each time, and the loop would run in the interpreter until it is compiled again, a hundred times: a step of AdamW
     * would take half a second for 20M weights.
     */
    static MemorySegment offHeap(MemorySegment memory) {
        if (memory.getClass() != OFF_HEAP || !memory.isAccessibleBy(ANY_THREAD)) {
            throw new IllegalArgumentException(
                    "vectors are for memory outside the Java heap that all threads may access, not " + memory);
        }
        return memory;
    }

    /** A mask of the first {@code count} lanes. */
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
     * The sum of all lanes, as a tree. ({@code reduceLanes(ADD)} adds in different orders before and after JIT compilation, so its
     * last bits would change during a run.)
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

    /** The maximum of each lane; {@code a} where {@code b} is NaN. Two instructions; the Vector API's maximum takes five. */
    public static FloatVector greater(FloatVector a, FloatVector b) {
        return exact(a).blend(b, exact(b).compare(VectorOperators.GT, a));
    }

    /**
     * Tells the JIT compiler the class of a vector. For a loop variable or the result of a method it otherwise relies on profiled
     * classes; if there are none, the call is not inlined, and vectors are allocated as objects.
     */
    private static FloatVector exact(FloatVector vector) {
        return TYPE.cast(vector);
    }

    /** The maximum of all lanes, none of which is NaN. */
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
