package io.gradus.core.cpu.vector;

import io.gradus.core.DType;
import io.gradus.core.HostCast;
import java.lang.foreign.MemorySegment;
import java.nio.ByteOrder;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.IntVector;
import jdk.incubator.vector.ShortVector;
import jdk.incubator.vector.VectorMask;
import jdk.incubator.vector.VectorOperators;
import jdk.incubator.vector.VectorShape;
import jdk.incubator.vector.VectorSpecies;

/**
 * 16-bit floats in memory outside the Java heap. Offsets are in elements. A bfloat16 is the upper half of a float, so conversions
 * between these two are mostly shifts; F16 is converted by {@link HostCast}.
 */
public final class Halves {
    private static final int V = Lanes.COUNT;
    private static final ByteOrder ORDER = ByteOrder.nativeOrder();

    /** Vectors with as many shorts as a vector has ints. */
    private static final VectorSpecies<Short> SHORTS =
            VectorSpecies.of(short.class, VectorShape.forBitSize(Lanes.INTS.vectorBitSize() / 2));

    private Halves() {}

    /** Loads BF16 as floats. */
    public static FloatVector load(MemorySegment memory, long at) {
        return bits(memory, at).reinterpretAsFloats();
    }

    /** The bits of BF16 as floats. */
    private static IntVector bits(MemorySegment memory, long at) {
        ShortVector upper = ShortVector.fromMemorySegment(SHORTS, Lanes.offHeap(memory), at * 2, ORDER);
        IntVector bits = (IntVector) upper.convertShape(VectorOperators.ZERO_EXTEND_S2I, Lanes.INTS, 0);
        return bits.lanewise(VectorOperators.LSHL, 16);
    }

    /** Loads twice as many BF16 as a vector has floats: pairs of neighbors, of which the first is the lower half of a lane. */
    public static IntVector pairs(MemorySegment memory, long at) {
        return IntVector.fromMemorySegment(Lanes.INTS, Lanes.offHeap(memory), at * 2, ByteOrder.LITTLE_ENDIAN);
    }

    /** The first elements of {@link #pairs} as floats. */
    public static FloatVector evens(IntVector pairs) {
        return pairs.lanewise(VectorOperators.LSHL, 16).reinterpretAsFloats();
    }

    /** The second elements of {@link #pairs} as floats. */
    public static FloatVector odds(IntVector pairs) {
        return pairs.and(0xFFFF_0000).reinterpretAsFloats();
    }

    /** Converts elements to F32, exactly; elements that are F32 are copied. */
    public static void widen(MemorySegment source, DType dtype, long from, MemorySegment target, long to, long count) {
        long i = 0;
        if (dtype == DType.BF16) {
            for (; i <= count - V; i += V) {
                Lanes.store(bits(source, from + i).reinterpretAsFloats(), target, to + i);
            }
        }
        if (i < count) {
            HostCast.convert(
                    source.asSlice((from + i) * dtype.bytes()),
                    dtype,
                    target.asSlice((to + i) * 4),
                    DType.F32,
                    count - i);
        }
    }

    /** Rounds F32 to the nearest, even on a tie, or copies it. A NaN remains one. */
    public static void narrow(MemorySegment source, long from, MemorySegment target, DType dtype, long to, long count) {
        long i = 0;
        if (dtype == DType.BF16) {
            for (; i <= count - V; i += V) {
                IntVector rounded = upper(Lanes.loadInts(source, from + i)).lanewise(VectorOperators.LSHR, 16);
                ((ShortVector) rounded.convertShape(VectorOperators.I2S, SHORTS, 0))
                        .intoMemorySegment(Lanes.offHeap(target), (to + i) * 2, ORDER);
            }
        }
        if (i < count) {
            HostCast.convert(
                    source.asSlice((from + i) * 4),
                    DType.F32,
                    target.asSlice((to + i) * dtype.bytes()),
                    dtype,
                    count - i);
        }
    }

    /** The nearest BF16 of floats, in the upper halves; the lower halves are undefined. A NaN gets the quiet bit. */
    public static IntVector upper(IntVector bits) {
        VectorMask<Integer> nan = bits.and(0x7FFF_FFFF).compare(VectorOperators.GT, 0x7F80_0000);
        IntVector odd = bits.lanewise(VectorOperators.LSHR, 16).and(1);
        return bits.add(0x7FFF).add(odd).blend(bits.or(0x40_0000), nan);
    }
}
