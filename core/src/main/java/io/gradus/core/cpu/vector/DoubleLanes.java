package io.gradus.core.cpu.vector;

import jdk.incubator.vector.DoubleVector;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.VectorOperators;
import jdk.incubator.vector.VectorShuffle;
import jdk.incubator.vector.VectorSpecies;

/**
 * Float vectors widened to two vectors of {@link #COUNT} doubles, for accurate sums. {@link Lanes} explains why there are no
 * vectors of half as many floats.
 */
public final class DoubleLanes {
    static final VectorSpecies<Double> DOUBLES = Lanes.FLOATS.withLanes(double.class);
    /** Doubles in a vector, half the number of floats. */
    public static final int COUNT = DOUBLES.length();

    private static final VectorShuffle<Double> BY_4 = turn(4);
    private static final VectorShuffle<Double> BY_2 = turn(2);
    private static final VectorShuffle<Double> BY_1 = turn(1);

    private DoubleLanes() {}

    /** The first half of the lanes, as doubles. */
    public static DoubleVector lower(FloatVector vector) {
        return (DoubleVector) vector.convertShape(VectorOperators.F2D, DOUBLES, 0);
    }

    /** The second half of the lanes, as doubles. */
    public static DoubleVector upper(FloatVector vector) {
        return (DoubleVector) vector.convertShape(VectorOperators.F2D, DOUBLES, 1);
    }

    public static DoubleVector load(double[] array, int at) {
        return DoubleVector.fromArray(DOUBLES, array, at);
    }

    public static DoubleVector zero() {
        return DoubleVector.zero(DOUBLES);
    }

    /** The sum of all lanes, as a tree; see {@link Lanes#sum}. */
    public static double sum(DoubleVector vector) {
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
