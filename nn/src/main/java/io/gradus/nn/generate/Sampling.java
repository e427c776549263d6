package io.gradus.nn.generate;

import io.gradus.core.Philox;
import java.util.Arrays;

/**
 * How the next token is chosen from the logits.
 *
 * @param temperature divides the logits; 0 chooses the highest one (greedy)
 * @param topK keeps only the k highest logits; 0 keeps all
 * @param topP keeps only the smallest set of tokens whose probabilities add up to p (Holtzman et al. 2020); 1 keeps all
 * @param seed of the random choice; the same seed gives the same text
 */
public record Sampling(double temperature, int topK, double topP, long seed) {
    /** Chooses the highest logit; among equal ones, the lowest id. */
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
     * @param logits one for each token of the vocabulary
     * @param draw the number of the choice in this text, from 0
     * @throws IllegalArgumentException if there are no logits, one is NaN, or the highest is infinite
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
            throw new IllegalArgumentException("generate: there are no logits to choose from");
        }
        int best = 0;
        for (int i = 0; i < logits.length; i++) {
            if (Float.isNaN(logits[i])) {
                throw new IllegalArgumentException("generate: the logits contain NaN; the model's weights are damaged");
            }
            if (logits[i] > logits[best]) {
                best = i;
            }
        }
        if (Float.isInfinite(logits[best])) {
            throw new IllegalArgumentException(
                    "generate: the highest logit is " + logits[best] + "; the model's weights are damaged");
        }
        return best;
    }
}
