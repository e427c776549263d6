package io.gradus.train.task;

/**
 * The temperature T by which logits are divided so that probabilities say how often a prediction is right (Guo et al. 2017, section
 * 4.2): that with the least negative log-likelihood of held-out labels. It changes no prediction.
 */
final class Temperature {
    /** Beyond these the likelihood has no best temperature: all labels are predicted, or logits say nothing. */
    private static final double LEAST = 0.05;

    private static final double MOST = 20;
    private static final int HALVINGS = 60;

    /** The name of the temperature among the scores. */
    static final String NAME = "temperature";

    private Temperature() {}

    /** Labels, and logits for the examples that have them. */
    private interface Slope {
        /** The derivative of the negative log-likelihood by 1/T, which increases with 1/T. */
        double at(double inverse);
    }

    /**
     * Where exactly one class is right.
     *
     * @param logits for each example and class
     * @param labels the class of each example
     */
    static double single(double[][] logits, int[] labels) {
        return fitted(inverse -> {
            double slope = 0;
            for (int i = 0; i < labels.length; i++) {
                slope += expected(logits[i], inverse) - logits[i][labels[i]];
            }
            return slope;
        });
    }

    /** The mean of logits, weighted by their softmax. */
    private static double expected(double[] logits, double inverse) {
        double largest = Double.NEGATIVE_INFINITY;
        for (double logit : logits) {
            largest = Math.max(largest, logit);
        }
        double sum = 0;
        double weighted = 0;
        for (double logit : logits) {
            double weight = Math.exp(inverse * (logit - largest));
            sum += weight;
            weighted += weight * logit;
        }
        return weighted / sum;
    }

    /** Where any number of classes is right. */
    static double several(double[][] logits, boolean[][] labels) {
        return fitted(inverse -> {
            double slope = 0;
            for (int i = 0; i < labels.length; i++) {
                for (int c = 0; c < labels[i].length; c++) {
                    double p = 1 / (1 + Math.exp(-inverse * logits[i][c]));
                    slope += (p - (labels[i][c] ? 1 : 0)) * logits[i][c];
                }
            }
            return slope;
        });
    }

    /** The zero of the slope, by bisection of the logarithm of 1/T. */
    private static double fitted(Slope slope) {
        double low = Math.log(1 / MOST);
        double high = Math.log(1 / LEAST);
        for (int i = 0; i < HALVINGS; i++) {
            double middle = (low + high) / 2;
            if (slope.at(Math.exp(middle)) < 0) {
                low = middle;
            } else {
                high = middle;
            }
        }
        return Math.exp(-(low + high) / 2);
    }
}
