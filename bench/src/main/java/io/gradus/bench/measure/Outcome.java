package io.gradus.bench.measure;

/**
 * The result of a {@link Contest}.
 *
 * @param ours our median time in seconds per run
 * @param theirs their median time in seconds per run
 * @param ratio the median of theirs / ours over the pairs of samples: above 1, ours is faster
 * @param pairs number of pairs
 * @param quietPairs number of undisturbed pairs
 */
public record Outcome(double ours, double theirs, double ratio, int pairs, int quietPairs) {

    /** Whether too few samples were undisturbed, so that the medians include disturbed ones. */
    public boolean isDisturbed() {
        return quietPairs < Math.min(Contest.FEWEST_PAIRS, pairs);
    }
}
