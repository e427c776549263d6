package io.gradus.bench.measure;

import java.util.Arrays;
import java.util.Collection;

/** Medians. */
public final class Medians {
    private Medians() {}

    /**
     * The median; for an even count, the mean of the two middle numbers.
     *
     * @throws IllegalArgumentException if there are no numbers
     */
    public static double of(double... numbers) {
        if (numbers.length == 0) {
            throw new IllegalArgumentException("median: there are no numbers");
        }
        double[] sorted = numbers.clone();
        Arrays.sort(sorted);
        int middle = sorted.length / 2;
        return sorted.length % 2 == 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
    }

    /** {@link #of(double...)}. */
    public static double of(Collection<Double> numbers) {
        return of(numbers.stream().mapToDouble(Double::doubleValue).toArray());
    }
}
