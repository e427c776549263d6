package io.gradus.data.tokenizer.huggingface;

/**
 * Upper bounds for what a part of a regular expression takes to match at one position of a text, in retries of a backtracking
 * engine.
 *
 * @param minLength the fewest characters of a match
 * @param isFixedLength whether all matches have the same length
 * @param isAsserting whether a match of no characters depends on what surrounds it
 * @param none retries until it is clear that there is no match
 * @param first retries until the first match
 * @param all retries until all matches have been tried, because what follows never matches
 * @param ways the number of matches
 */
record PatternCost(
        int minLength, boolean isFixedLength, boolean isAsserting, double none, double first, double all, double ways) {
    static final PatternCost EMPTY = new PatternCost(0, true, false, 0, 0, 0, 1);
    static final PatternCost CHARACTER = new PatternCost(1, true, false, 1, 0, 1, 1);
    static final PatternCost ASSERTION = new PatternCost(0, true, true, 1, 0, 1, 1);

    /** Whether an attempt to match always succeeds. */
    boolean alwaysMatches() {
        return minLength == 0 && !isAsserting;
    }

    /** This, and then the other. */
    PatternCost then(PatternCost next) {
        double tried = all + ways * next.none + next.first;
        return new PatternCost(
                Math.min(minLength + next.minLength, 1_000_000),
                isFixedLength && next.isFixedLength,
                isAsserting || next.isAsserting,
                next.alwaysMatches() ? none : tried,
                next.alwaysMatches() ? first + next.first : tried,
                all + ways * next.all,
                ways * next.ways);
    }

    /** This or the other. */
    PatternCost or(PatternCost other) {
        return new PatternCost(
                Math.min(minLength, other.minLength),
                isFixedLength && other.isFixedLength && minLength == other.minLength,
                isAsserting && other.isAsserting,
                none + other.none,
                none + first + other.first,
                all + other.all,
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
        double required = all * sum(ways, min);
        return new PatternCost(
                Math.min(minLength * min, 1_000_000),
                isFixedLength && min == max,
                isAsserting && min > 0,
                required,
                required + most * first + none,
                all * sum(ways, most),
                isFixedLength && ways == 1 || max >= 0 ? sum(ways, most + 1) : Double.POSITIVE_INFINITY);
    }

    /** The sum of the powers of a number ≥ 1 with exponents from 0 to n − 1. */
    private static double sum(double base, int n) {
        return base == 1 ? n : (Math.pow(base, n) - 1) / (base - 1);
    }

    /** Without retries after a match. */
    PatternCost atomic() {
        return new PatternCost(minLength, isFixedLength, isAsserting, none, first, first + 1, 1);
    }

    /** As a look-around. */
    PatternCost asserted() {
        double tries = none + first + 1;
        return new PatternCost(0, true, true, tries, tries, tries, 1);
    }
}
