package io.gradus.nn.generate;

import io.gradus.core.Philox;
import java.util.Arrays;

/**
 * How the next token is chosen from its scores.
 *
 * @param temperature divides the scores; 0 takes the highest (greedy)
 * @param topK only the k highest scores count; 0 for all
 * @param topP only the fewest tokens whose probabilities add up to p count (Holtzman et al. 2020); 1 for all
 * @param seed of the random choice: the same seed gives the same text
 */
public record Sampling(double temperature, int topK, double topP, long seed) {
    /** Always the highest score; of equal ones the lowest id. */
    public static final Sampling GREEDY = new Sampling(0, 0, 1, 0);

    public Sampling {
        if (!(temperature >= 0) || Double.isInfinite(temperature)) {
            throw new IllegalArgumentException("temperature is " + temperature + "; it must be 0 (greedy) or more");
        }
        if (topK < 0) {
            throw new IllegalArgumentException("top-k is " + topK + "; it must be 0 (off) or more");
        }
        if (!(topP > 0 && topP <= 1)) {
            throw new IllegalArgumentException("top-p is " + topP + "; it must be above 0 and at most 1 (off)");
        }
    }

    /**
     * Chooses a token.
     *
     * @param logits a score for each token
     * @param draw which choice of the sequence this is, from 0
     * @throws IllegalArgumentException when there is no score, one is not a number, or the highest is not finite
     */
    public int choose(float[] logits, long draw) {
        int best = argmax(logits);
        if (temperature == 0) {
            return best;
        }
        Integer[] order = new Integer[logits.length];
        Arrays.setAll(order, i -> i);
        Arrays.sort(order, (a, b) -> Float.compare(logits[b], logits[a]));
        int kept = topK == 0 ? order.length : Math.min(topK, order.length);
        double[] weights = new double[kept];
        double total = 0;
        for (int i = 0; i < kept; i++) {
            weights[i] = Math.exp((logits[order[i]] - logits[best]) / temperature);
            total += weights[i];
        }
        if (topP < 1) {
            double sum = 0;
            int nucleus = 0;
            while (nucleus < kept && sum < topP * total) {
                sum += weights[nucleus++];
            }
            kept = nucleus;
            total = sum;
        }
        double target = Philox.nextDouble(new Philox.Key(seed, 0, 0), draw) * total;
        for (int i = 0; i < kept; i++) {
            target -= weights[i];
            if (target < 0) {
                return order[i];
            }
        }
        return order[kept - 1];
    }

    private static int argmax(float[] logits) {
        if (logits.length == 0) {
            throw new IllegalArgumentException("generate: the model gave no scores to choose from");
        }
        int best = 0;
        for (int i = 0; i < logits.length; i++) {
            if (Float.isNaN(logits[i])) {
                throw new IllegalArgumentException(
                        "generate: the model's scores are not numbers (NaN); its weights are damaged");
            }
            if (logits[i] > logits[best]) {
                best = i;
            }
        }
        if (Float.isInfinite(logits[best])) {
            throw new IllegalArgumentException(
                    "generate: the model's highest score is " + logits[best] + "; its weights are damaged");
        }
        return best;
    }
}
