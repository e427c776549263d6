package io.gradus.core.cpu;

import java.lang.foreign.MemorySegment;
import java.nio.ByteOrder;
import jdk.incubator.vector.DoubleVector;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.VectorOperators;
import jdk.incubator.vector.VectorShape;
import jdk.incubator.vector.VectorShuffle;
import jdk.incubator.vector.VectorSpecies;

/** Floats widened to vectors of {@link #COUNT} doubles on their way from memory, for sums that must not lose digits. */
final class DoubleLanes {
    static final VectorSpecies<Double> DOUBLES = Lanes.FLOATS.withLanes(double.class);
    /** Doubles in a vector: half as many as floats. */
    static final int COUNT = DOUBLES.length();

    private static final VectorSpecies<Float> FLOATS =
            VectorSpecies.of(float.class, VectorShape.forBitSize(DOUBLES.vectorBitSize() / 2));
    private static final VectorShuffle<Double> BY_4 = turn(4);
    private static final VectorShuffle<Double> BY_2 = turn(2);
    private static final VectorShuffle<Double> BY_1 = turn(1);
    private static final ByteOrder ORDER = ByteOrder.nativeOrder();

    private DoubleLanes() {}

    /** {@link #COUNT} floats from element {@code at} on. */
    static DoubleVector load(MemorySegment memory, long at) {
        return (DoubleVector) FloatVector.fromMemorySegment(FLOATS, memory, at * 4, ORDER)
                .convertShape(VectorOperators.F2D, DOUBLES, 0);
    }

    /** The first half of the lanes. */
    static DoubleVector lower(FloatVector vector) {
        return (DoubleVector) vector.convertShape(VectorOperators.F2D, DOUBLES, 0);
    }

    /** The second half of the lanes. */
    static DoubleVector upper(FloatVector vector) {
        return (DoubleVector) vector.convertShape(VectorOperators.F2D, DOUBLES, 1);
    }

    static DoubleVector load(double[] array, int at) {
        return DoubleVector.fromArray(DOUBLES, array, at);
    }

    static DoubleVector zero() {
        return DoubleVector.zero(DOUBLES);
    }

    /** The sum of all lanes, as a tree; see {@link Lanes#sum}. */
    static double sum(DoubleVector vector) {
        if (COUNT > 4) {
            vector = vector.add(vector.rearrange(BY_4));
        }
        if (COUNT > 2) {
            vector = vector.add(vector.rearrange(BY_2));
        }
        return vector.add(vector.rearrange(BY_1)).lane(0);
    }

    private static VectorShuffle<Double> turn(int lanes) {
        return VectorShuffle.iota(DOUBLES, lanes % COUNT, 1, true);
    }
}
