package io.gradus.optim;

import java.util.List;

/** Names in an error: the first few, and how many more there are. */
final class Names {
    private static final int FEW = 5;

    private Names() {}

    static String few(List<String> names) {
        String few = String.join(", ", names.subList(0, Math.min(FEW, names.size())));
        return names.size() <= FEW ? few : few + " and " + (names.size() - FEW) + " more";
    }
}
