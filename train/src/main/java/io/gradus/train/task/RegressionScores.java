package io.gradus.train.task;

import java.util.Arrays;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.IntStream;

/** Scores of predicted numbers, with the values of SciPy. */
public final class RegressionScores {
    /** Correlation of the numbers, and of their ranks; more is better. */
    public static final String PEARSON = "pearson";

    public static final String SPEARMAN = "spearman";

    /** The mean absolute error; less is better. */
    public static final String MAE = "mae";

    private RegressionScores() {}

    /** Scores of predictions; correlations are NaN if either side is constant. */
    public static Scores of(double[] actual, double[] predicted) {
        Map<String, Double> metrics = new LinkedHashMap<>();
        metrics.put(PEARSON, pearson(actual, predicted));
        metrics.put(SPEARMAN, pearson(ranks(actual), ranks(predicted)));
        metrics.put(
                MAE,
                IntStream.range(0, actual.length)
                        .mapToDouble(i -> Math.abs(actual[i] - predicted[i]))
                        .average()
                        .orElse(Double.NaN));
        return new Scores(metrics, List.of(), List.of());
    }

    /** The correlation of Pearson (1895): the covariance divided by the standard deviations. */
    private static double pearson(double[] a, double[] b) {
        double meanA = Arrays.stream(a).average().orElse(0);
        double meanB = Arrays.stream(b).average().orElse(0);
        double both = 0;
        double ofA = 0;
        double ofB = 0;
        for (int i = 0; i < a.length; i++) {
            both += (a[i] - meanA) * (b[i] - meanB);
            ofA += (a[i] - meanA) * (a[i] - meanA);
            ofB += (b[i] - meanB) * (b[i] - meanB);
        }
        return ofA == 0 || ofB == 0 ? Double.NaN : both / Math.sqrt(ofA * ofB);
    }

    /** The ranks from 1, for the correlation of Spearman (1904); equal numbers have the mean of theirs. */
    private static double[] ranks(double[] values) {
        List<Integer> order = IntStream.range(0, values.length)
                .boxed()
                .sorted(Comparator.comparingDouble(i -> values[i]))
                .toList();
        double[] ranks = new double[values.length];
        for (int from = 0; from < values.length; ) {
            int to = from;
            while (to < values.length && values[order.get(to)] == values[order.get(from)]) {
                to++;
            }
            for (int i = from; i < to; i++) {
                ranks[order.get(i)] = (from + to + 1) / 2.0;
            }
            from = to;
        }
        return ranks;
    }
}
