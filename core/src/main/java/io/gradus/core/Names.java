package io.gradus.core;

import java.util.Collection;

/** Lists of names in messages. */
public final class Names {
    private Names() {}

    /** The first five names: {@code a, b, c, d, e and 3 more}. */
    public static String few(Collection<String> names) {
        return few(names, 5);
    }

    /** The first names, and the number of the others: {@code a, b and 3 more} for a limit of 2. */
    public static String few(Collection<String> names, int limit) {
        String few = String.join(", ", names.stream().limit(limit).toList());
        return names.size() <= limit ? few : few + " and " + (names.size() - limit) + " more";
    }
}
