package io.gradus.train.task;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * Scores of an evaluation, beside the loss.
 *
 * @param metrics by name, such as {@code accuracy}, in the order in which they are shown; NaN where one is undefined
 * @param classes the scores of each class; empty if there are none
 * @param confusion how often each class, a row, was predicted as each class, a column; empty if more than one class may apply
 */
public record Scores(Map<String, Double> metrics, List<ClassScore> classes, List<List<Integer>> confusion) {
    /** No scores. */
    public static final Scores NONE = new Scores(Map.of(), List.of(), List.of());

    public Scores {
        metrics = Collections.unmodifiableMap(new LinkedHashMap<>(metrics));
        classes = List.copyOf(classes);
        confusion = List.copyOf(confusion);
    }

    /** The same scores and another metric. */
    Scores with(String metric, double value) {
        Map<String, Double> more = new LinkedHashMap<>(metrics);
        more.put(metric, value);
        return new Scores(more, classes, confusion);
    }

    static Scores of(Map<String, Double> metrics, List<ClassScore> classes, int[][] confusion) {
        List<List<Integer>> rows = new ArrayList<>();
        for (int[] row : confusion) {
            rows.add(Arrays.stream(row).boxed().toList());
        }
        return new Scores(metrics, classes, rows);
    }
}
