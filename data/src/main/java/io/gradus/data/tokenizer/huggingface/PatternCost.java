package io.gradus.data.tokenizer.huggingface;

/**
 * Upper bounds for what a part of a regular expression takes to match at one position of a text, in retries of a backtracking
 * engine.
 *
 * @param minLength the fewest characters of a match
 * @param isFixedLength whether all matches have the same length
 * @param alwaysMatches whether it matches wherever it is tried
 * @param none retries until it is clear that there is no match
 * @param first retries before the first match
 * @param all retries to find all matches, if there is one
 * @param ways the number of matches
 */
record PatternCost(
        int minLength,
        boolean isFixedLength,
        boolean alwaysMatches,
        double none,
        double first,
        double all,
        double ways) {
    static final PatternCost EMPTY = new PatternCost(0, true, true, 0, 0, 0, 1);
    static final PatternCost CHARACTER = new PatternCost(1, true, false, 1, 0, 0, 1);
    static final PatternCost ASSERTION = new PatternCost(0, true, false, 1, 0, 0, 1);

    private double worst() {
        return Math.max(none, all);
    }

    /** This, and then the other. */
    PatternCost then(PatternCost next) {
        double failed = all + ways * next.none;
        return new PatternCost(
                Math.min(minLength + next.minLength, 1_000_000),
                isFixedLength && next.isFixedLength,
                alwaysMatches && next.alwaysMatches,
                next.alwaysMatches ? none : Math.max(none, failed),
                next.alwaysMatches ? first + next.first : failed + next.first,
                all + ways * next.worst(),
                ways * next.ways);
    }

    /** This or the other. */
    PatternCost or(PatternCost other) {
        return new PatternCost(
                Math.min(minLength, other.minLength),
                isFixedLength && other.isFixedLength && minLength == other.minLength,
                alwaysMatches || other.alwaysMatches,
                none + other.none,
                Math.max(first, none + other.first),
                worst() + other.worst(),
                ways + other.ways);
    }

    /**
     * This a number of times.
     *
     * @param max −1 if unbounded
     * @param length the length of the text
     */
    PatternCost repeated(int min, int max, int length) {
        int most = max >= 0 ? max : length / Math.max(1, minLength) + 1;
        boolean isSimple = isFixedLength && minLength > 0 && ways == 1;
        double required = sum(ways, min) * worst();
        return new PatternCost(
                Math.min(minLength * min, 1_000_000),
                isFixedLength && min == max,
                alwaysMatches || min == 0,
                required,
                required + most * first + none,
                isSimple ? most * all + none : sum(ways, most) * worst(),
                isSimple || max >= 0 ? sum(ways, most + 1) - sum(ways, min) : Double.POSITIVE_INFINITY);
    }

    /** The sum of the powers of a number with exponents from 0 to n − 1. */
    private static double sum(double base, int n) {
        return base == 1 ? n : (Math.pow(base, n) - 1) / (base - 1);
    }

    /** Without retries after a match. */
    PatternCost atomic() {
        return new PatternCost(minLength, isFixedLength, alwaysMatches, none, first, first, 1);
    }

    /** As a look-around. */
    PatternCost asserted() {
        double tries = Math.max(none, first) + 1;
        return new PatternCost(0, true, false, tries, tries, tries, 1);
    }
}
