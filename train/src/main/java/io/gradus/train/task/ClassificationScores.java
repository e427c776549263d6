package io.gradus.train.task;

import static io.gradus.train.task.ClassScore.quotient;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * Scores of a classifier, with the names and the values of scikit-learn: the macro F1 is the mean over the classes that occur in
 * the data or among the predictions, and the micro F1 that of all decisions together.
 */
public final class ClassificationScores {
    /** The metric names, all of which are better if they are higher. */
    public static final String ACCURACY = "accuracy";

    public static final String MACRO_F1 = "macro_f1";
    public static final String MICRO_F1 = "micro_f1";
    public static final String MATTHEWS = "matthews_correlation";

    private ClassificationScores() {}

    /**
     * Scores where exactly one class is right.
     *
     * @param labels the names of the classes
     * @param actual the class of each example
     * @param predicted the class that was predicted for it
     */
    public static Scores single(List<String> labels, int[] actual, int[] predicted) {
        int count = labels.size();
        int[][] confusion = new int[count][count];
        int right = 0;
        for (int i = 0; i < actual.length; i++) {
            confusion[actual[i]][predicted[i]]++;
            right += actual[i] == predicted[i] ? 1 : 0;
        }
        List<ClassScore> classes = new ArrayList<>();
        for (int c = 0; c < count; c++) {
            int support = 0;
            int chosen = 0;
            for (int other = 0; other < count; other++) {
                support += confusion[c][other];
                chosen += confusion[other][c];
            }
            classes.add(ClassScore.of(labels.get(c), confusion[c][c], support, chosen));
        }
        Map<String, Double> metrics = new LinkedHashMap<>();
        metrics.put(ACCURACY, quotient(right, actual.length));
        metrics.put(MACRO_F1, macro(classes));
        metrics.put(MICRO_F1, quotient(right, actual.length));
        metrics.put(MATTHEWS, matthews(classes, right, actual.length));
        return Scores.of(metrics, classes, confusion);
    }

    /**
     * Scores where any number of classes is right. The accuracy is the part of the examples all of whose classes are.
     *
     * @param actual for each example and class, whether it applies
     * @param predicted for each example and class, whether it was predicted
     */
    public static Scores several(List<String> labels, boolean[][] actual, boolean[][] predicted) {
        int exact = 0;
        int[] right = new int[labels.size()];
        int[] support = new int[labels.size()];
        int[] chosen = new int[labels.size()];
        for (int i = 0; i < actual.length; i++) {
            boolean all = true;
            for (int c = 0; c < labels.size(); c++) {
                right[c] += actual[i][c] && predicted[i][c] ? 1 : 0;
                support[c] += actual[i][c] ? 1 : 0;
                chosen[c] += predicted[i][c] ? 1 : 0;
                all &= actual[i][c] == predicted[i][c];
            }
            exact += all ? 1 : 0;
        }
        List<ClassScore> classes = new ArrayList<>();
        double rights = 0;
        double decisions = 0;
        for (int c = 0; c < labels.size(); c++) {
            classes.add(ClassScore.of(labels.get(c), right[c], support[c], chosen[c]));
            rights += right[c];
            decisions += support[c] + chosen[c];
        }
        Map<String, Double> metrics = new LinkedHashMap<>();
        metrics.put(ACCURACY, quotient(exact, actual.length));
        metrics.put(
                MACRO_F1, classes.stream().mapToDouble(ClassScore::f1).average().orElse(0));
        metrics.put(MICRO_F1, quotient(2 * rights, decisions));
        return new Scores(metrics, classes, List.of());
    }

    private static double macro(List<ClassScore> classes) {
        return classes.stream()
                .filter(each -> each.support() + each.predicted() > 0)
                .mapToDouble(ClassScore::f1)
                .average()
                .orElse(0);
    }

    /**
     * The correlation of Matthews (1975) for several classes (Gorodkin 2004): with s examples of which c are right, and the class k
     * tₖ times in the data and pₖ times among the predictions,
     * {@code (c·s − Σ tₖ·pₖ) / √((s² − Σ pₖ²)·(s² − Σ tₖ²))}; 0 if a factor is 0.
     */
    private static double matthews(List<ClassScore> classes, double right, double all) {
        double both = 0;
        double predicted = 0;
        double actual = 0;
        for (ClassScore each : classes) {
            both += (double) each.support() * each.predicted();
            predicted += (double) each.predicted() * each.predicted();
            actual += (double) each.support() * each.support();
        }
        return quotient(right * all - both, Math.sqrt((all * all - predicted) * (all * all - actual)));
    }
}
