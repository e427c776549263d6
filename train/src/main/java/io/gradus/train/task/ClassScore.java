package io.gradus.train.task;

/**
 * The scores of one class. A quotient whose divisor is 0 is 0.
 *
 * @param precision the part of the predictions of the class that is right
 * @param recall the part of the examples of the class that was predicted
 * @param f1 the harmonic mean of the two (van Rijsbergen 1979)
 * @param support the number of examples of the class
 * @param predicted the number of predictions of the class
 */
public record ClassScore(String label, double precision, double recall, double f1, int support, int predicted) {

    /**
     * The scores of a class by its counts.
     *
     * @param right the number of examples of the class that were predicted
     */
    public static ClassScore of(String label, int right, int support, int predicted) {
        return new ClassScore(
                label,
                quotient(right, predicted),
                quotient(right, support),
                quotient(2.0 * right, support + predicted),
                support,
                predicted);
    }

    static double quotient(double dividend, double divisor) {
        return divisor == 0 ? 0 : dividend / divisor;
    }
}
