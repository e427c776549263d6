package io.gradus.nn.model;

import java.util.Arrays;
import java.util.Locale;
import java.util.stream.Collectors;

/** What the scores of a sequence mean: the {@code problem_type} of {@code config.json}. */
public enum ProblemType {
    /** Exactly one label is right: the softmax of the scores. */
    SINGLE_LABEL_CLASSIFICATION,
    /** Any number of labels is right: the sigmoid of each score. */
    MULTI_LABEL_CLASSIFICATION,
    /** Each score is a number to predict. */
    REGRESSION;

    /** The text in {@code config.json}, such as {@code regression}. */
    public String key() {
        return name().toLowerCase(Locale.ROOT);
    }

    /** @throws IllegalArgumentException if there is none of this name; lists all */
    static ProblemType of(String key) {
        return Arrays.stream(values())
                .filter(type -> type.key().equals(key))
                .findFirst()
                .orElseThrow(() -> new IllegalArgumentException(ConfigJson.FILE + ": problem_type is '" + key
                        + "'; it must be "
                        + Arrays.stream(values()).map(ProblemType::key).collect(Collectors.joining(", "))));
    }
}
