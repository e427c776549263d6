package io.gradus.train.task;

import io.gradus.data.EmbeddingExample;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.IntStream;

/** How well the positive of each anchor is found among all positives, by the cosine; more is better. */
public final class RetrievalScores {
    /** The share of the anchors whose positive is the nearest. */
    public static final String RECALL_AT_1 = "recall_at_1";

    /** The mean reciprocal rank of the positive. */
    public static final String MRR = "mrr";

    private RetrievalScores() {}

    /**
     * Scores vectors. A positive of another pair does not count as wrong if its text or its anchor is the same. Of equal cosines, the
     * wrong ones come first.
     *
     * @param pairs as many as there are vectors of each kind
     * @param anchors their vectors, of length 1
     * @param positives their vectors, of length 1
     */
    static Scores of(List<EmbeddingExample> pairs, double[][] anchors, double[][] positives) {
        int[] ranks = IntStream.range(0, anchors.length)
                .parallel()
                .map(i -> rank(pairs, anchors[i], positives, i))
                .toArray();
        Map<String, Double> metrics = new LinkedHashMap<>();
        metrics.put(
                RECALL_AT_1,
                IntStream.of(ranks)
                        .mapToDouble(rank -> rank == 1 ? 1 : 0)
                        .average()
                        .orElse(Double.NaN));
        metrics.put(
                MRR,
                IntStream.of(ranks).mapToDouble(rank -> 1.0 / rank).average().orElse(Double.NaN));
        return new Scores(metrics, List.of(), List.of());
    }

    /** The rank of the i-th positive for its anchor, from 1. */
    private static int rank(List<EmbeddingExample> pairs, double[] anchor, double[][] positives, int i) {
        double own = dot(anchor, positives[i]);
        int rank = 1;
        for (int j = 0; j < positives.length; j++) {
            boolean right = j == i
                    || pairs.get(j).other().equals(pairs.get(i).other())
                    || pairs.get(j).text().equals(pairs.get(i).text());
            if (!right && !(dot(anchor, positives[j]) < own)) {
                rank++;
            }
        }
        return rank;
    }

    private static double dot(double[] a, double[] b) {
        double sum = 0;
        for (int i = 0; i < a.length; i++) {
            sum += a[i] * b[i];
        }
        return sum;
    }
}
