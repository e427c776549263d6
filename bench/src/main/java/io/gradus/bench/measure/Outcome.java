package io.gradus.bench.measure;

/**
 * What a {@link Contest} found.
 *
 * @param ours seconds for one run, the median
 * @param theirs seconds for one run, the median
 * @param ratio the median of theirs / ours over the pairs of samples: above 1, ours is faster
 * @param pairs how many there were
 * @param quietPairs how many of them nobody disturbed
 */
public record Outcome(double ours, double theirs, double ratio, int pairs, int quietPairs) {

    /** Whether so few samples were without disturbance that the others count too. */
    public boolean isDisturbed() {
        return quietPairs < Math.min(Contest.FEWEST_PAIRS, pairs);
    }
}
