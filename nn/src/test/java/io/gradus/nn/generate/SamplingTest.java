package io.gradus.nn.generate;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class SamplingTest {
    private static final int DRAWS = 20_000;
    /** Probabilities 0.1, 0.4, 0.2 and 0.3 at temperature 1. */
    private static final float[] LOGITS = logits(0.1, 0.4, 0.2, 0.3);

    private static float[] logits(double... probabilities) {
        float[] logits = new float[probabilities.length];
        for (int i = 0; i < logits.length; i++) {
            logits[i] = (float) (3 + Math.log(probabilities[i]));
        }
        return logits;
    }

    /** Asserts that each token's share of many draws is within five standard errors of its probability. */
    private static void assertShares(Sampling sampling, double... probabilities) {
        int[] counts = new int[LOGITS.length];
        for (int draw = 0; draw < DRAWS; draw++) {
            counts[sampling.choose(LOGITS, draw)]++;
        }
        for (int i = 0; i < counts.length; i++) {
            double p = probabilities[i];
            assertThat(counts[i] / (double) DRAWS)
                    .as("share of token %d", i)
                    .isCloseTo(p, within(5 * Math.sqrt(p * (1 - p) / DRAWS)));
        }
    }

    @Test
    void greedyChoosesTheHighestLogitAndTheLowestIdOfEqualOnes() {
        assertThat(Sampling.GREEDY.choose(LOGITS, 0)).isEqualTo(1);
        assertThat(Sampling.GREEDY.choose(new float[] {-5, 2, 2, 1}, 9)).isEqualTo(1);
        assertThat(Sampling.GREEDY.choose(new float[] {Float.NEGATIVE_INFINITY, -7}, 0))
                .isEqualTo(1);
    }

    @Test
    void temperatureOneSamplesTheSoftmax() {
        assertShares(new Sampling(1, 0, 1, 5), 0.1, 0.4, 0.2, 0.3);
    }

    @Test
    void temperatureDividesLogits() {
        double total = 0.01 + 0.16 + 0.04 + 0.09; // a half squares the probabilities
        assertShares(new Sampling(0.5, 0, 1, 5), 0.01 / total, 0.16 / total, 0.04 / total, 0.09 / total);
        assertShares(new Sampling(1e9, 0, 1, 5), 0.25, 0.25, 0.25, 0.25);
        assertShares(new Sampling(1e-9, 0, 1, 5), 0, 1, 0, 0);
    }

    @Test
    void topKKeepsTheHighestLogits() {
        assertShares(new Sampling(1, 2, 1, 5), 0, 4.0 / 7, 0, 3.0 / 7);
        assertShares(new Sampling(1, 1, 1, 5), 0, 1, 0, 0);
        assertShares(new Sampling(1, 100, 1, 5), 0.1, 0.4, 0.2, 0.3);
    }

    @Test
    void topPKeepsTheSmallestSetThatReachesP() {
        assertShares(new Sampling(1, 0, 0.69, 5), 0, 4.0 / 7, 0, 3.0 / 7);
        assertShares(new Sampling(1, 0, 0.71, 5), 0, 4.0 / 9, 2.0 / 9, 3.0 / 9);
        assertShares(new Sampling(1, 0, 0.01, 5), 0, 1, 0, 0);
        assertShares(new Sampling(1, 0, 0.95, 5), 0.1, 0.4, 0.2, 0.3);
    }

    @Test
    void topPAppliesAfterTopK() {
        assertShares(new Sampling(1, 2, 0.5, 5), 0, 1, 0, 0); // 4/7 alone reaches a half
        assertShares(new Sampling(1, 3, 0.5, 5), 0, 4.0 / 7, 0, 3.0 / 7); // 4/9 does not
    }

    @Test
    void choiceDependsOnSeedAndDraw() {
        assertThat(choices(1)).isEqualTo(choices(1)).isNotEqualTo(choices(2));
        assertThat(choices(1)).as("draws of one seed differ").contains(0, 1, 2, 3);
    }

    private static int[] choices(long seed) {
        Sampling sampling = new Sampling(1, 0, 1, seed);
        return IntStream.range(0, 200)
                .map(draw -> sampling.choose(LOGITS, draw))
                .toArray();
    }

    @Test
    void tokenOfProbabilityZeroIsNeverChosen() {
        float[] logits = {Float.NEGATIVE_INFINITY, 1, Float.NEGATIVE_INFINITY};
        Sampling sampling = new Sampling(1, 0, 1, 5);
        assertThat(IntStream.range(0, 1000).map(draw -> sampling.choose(logits, draw)))
                .containsOnly(1);
    }

    @ParameterizedTest
    @ValueSource(doubles = {0, 1})
    void nanOrInfiniteLogitsAreRejected(double temperature) {
        Sampling sampling = new Sampling(temperature, 0, 1, 5);
        assertThatThrownBy(() -> sampling.choose(new float[] {1, Float.NaN}, 0)).hasMessageContaining("NaN");
        assertThatThrownBy(() -> sampling.choose(new float[] {Float.NaN, 1}, 0)).hasMessageContaining("NaN");
        assertThatThrownBy(() -> sampling.choose(new float[] {1, Float.POSITIVE_INFINITY}, 0))
                .hasMessageContaining("highest logit is Infinity");
        assertThatThrownBy(() -> sampling.choose(new float[] {Float.NEGATIVE_INFINITY}, 0))
                .hasMessageContaining("highest logit is -Infinity");
        assertThatThrownBy(() -> sampling.choose(new float[0], 0)).hasMessageContaining("no logits");
    }

    @Test
    void settingsOutOfRangeAreRejected() {
        assertThatThrownBy(() -> new Sampling(-0.1, 0, 1, 0)).hasMessageContaining("temperature is -0.1");
        assertThatThrownBy(() -> new Sampling(Double.NaN, 0, 1, 0)).hasMessageContaining("temperature is NaN");
        assertThatThrownBy(() -> new Sampling(Double.POSITIVE_INFINITY, 0, 1, 0))
                .hasMessageContaining("temperature");
        assertThatThrownBy(() -> new Sampling(1, -1, 1, 0)).hasMessageContaining("top-k is -1");
        assertThatThrownBy(() -> new Sampling(1, 0, 0, 0)).hasMessageContaining("top-p is 0.0");
        assertThatThrownBy(() -> new Sampling(1, 0, 1.1, 0)).hasMessageContaining("top-p is 1.1");
        assertThatThrownBy(() -> new Sampling(1, 0, Double.NaN, 0)).hasMessageContaining("top-p is NaN");
    }
}
