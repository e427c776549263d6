package io.gradus.optim;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import io.gradus.autograd.Variable;
import java.util.Random;
import java.util.function.DoubleUnaryOperator;
import org.junit.jupiter.api.Test;

/** The learning rate range test: rates, smoothing, divergence and suggestions. */
class LearningRateFinderTest {

    private static LearningRateFinder run(double low, double high, int steps, DoubleUnaryOperator loss) {
        LearningRateFinder finder = new LearningRateFinder(low, high, steps);
        while (finder.isRunning()) {
            finder.add(loss.applyAsDouble(finder.rate()));
        }
        return finder;
    }

    @Test
    void ratesGrowByAConstantFactor() {
        LearningRateFinder finder = run(1e-7, 10, 100, rate -> 1);
        assertThat(finder.points()).hasSize(100);
        assertThat(finder.diverged()).isFalse();
        assertThat(finder.points().getFirst().rate()).isEqualTo(1e-7);
        assertThat(finder.points().getLast().rate()).isCloseTo(10, within(1e-12));
        double factor = Math.pow(1e8, 1.0 / 99);
        for (int i = 1; i < 100; i++) {
            assertThat(finder.points().get(i).rate()
                            / finder.points().get(i - 1).rate())
                    .isCloseTo(factor, within(1e-9));
        }
    }

    @Test
    void smoothedLossIsBiasCorrected() {
        LearningRateFinder finder = new LearningRateFinder(1e-5, 1, 20);
        finder.add(3);
        finder.add(2);
        finder.add(7);
        assertThat(finder.points().get(0).smoothed()).isCloseTo(3, within(1e-12));
        assertThat(finder.points().get(1).smoothed()).isCloseTo((0.98 * 3 + 2) / 1.98, within(1e-12));
        assertThat(finder.points().get(2).smoothed())
                .isCloseTo((0.98 * 0.98 * 3 + 0.98 * 2 + 7) / (0.98 * 0.98 + 0.98 + 1), within(1e-12));
        assertThat(finder.points().get(2).loss()).isEqualTo(7);
    }

    /** The loss is a logistic function of ln(rate), steepest at 1e-3, that rises above 1e-1. */
    @Test
    void suggestionLiesOnTheSlopeAndBelowTheMinimum() {
        LearningRateFinder finder =
                run(1e-6, 10, 200, rate -> 1 + 4 / (1 + Math.pow(rate / 1e-3, 2)) + Math.pow(rate / 0.3, 4));
        LearningRateFinder.Suggestion suggestion = finder.suggestion();
        assertThat(finder.diverged()).isTrue();
        // smoothing over 50 steps delays the suggestion by less than a factor of 10
        assertThat(suggestion.steepest()).isBetween(1e-3, 1e-2);
        assertThat(suggestion.tenthOfMinimum()).isBetween(1e-2, 0.1);
    }

    @Test
    void stopsWhenTheLossDiverges() {
        LearningRateFinder finder = run(1e-6, 10, 100, rate -> rate < 0.01 ? 2 - rate : 1e4);
        assertThat(finder.diverged()).isTrue();
        assertThat(finder.points().getLast().rate()).isBetween(0.01, 0.02);
        assertThatThrownBy(() -> finder.add(1)).isInstanceOf(IllegalStateException.class);

        LearningRateFinder infinite = run(1e-6, 10, 100, rate -> rate < 0.01 ? 2 - rate : Double.NaN);
        assertThat(infinite.diverged()).isTrue();
        assertThat(infinite.suggestion().steepest()).isLessThan(0.01);
    }

    @Test
    void lossesWithoutAClearDescentGiveDoubt() {
        int doubted = 0;
        for (int seed = 0; seed < 50; seed++) {
            Random random = new Random(seed);
            LearningRateFinder flat = run(1e-7, 1, 20, rate -> 3 + 0.1 * random.nextGaussian());
            doubted +=
                    flat.doubt().filter(text -> text.contains("may be chance")).isPresent() ? 1 : 0;
        }
        assertThat(doubted).isGreaterThanOrEqualTo(45);
    }

    @Test
    void clearDescentGivesNoDoubt() {
        for (int seed = 0; seed < 50; seed++) {
            Random random = new Random(seed);
            assertThat(run(1e-7, 1, 100, rate -> falling(rate) + 0.1 * random.nextGaussian())
                            .doubt())
                    .isEmpty();
        }
    }

    @Test
    void clearDescentOverFewRatesIsRough() {
        assertThat(run(1e-7, 1, 20, LearningRateFinderTest::falling).doubt())
                .hasValue("only 20 rates were tried, each 2.3 times the one before, so the suggestion is rough");
    }

    @Test
    void divergedLossesThatNeverFellGiveDoubt() {
        LearningRateFinder finder = run(1e-7, 1, 100, rate -> rate < 1e-5 ? 3 : Double.POSITIVE_INFINITY);
        assertThat(finder.doubt()).isPresent();
    }

    /** Falls from 3 to 2 around a rate of 1e-3 and rises above 1e-1. */
    private static double falling(double rate) {
        return 2 + 1 / (1 + rate / 1e-3) + Math.pow(rate / 0.3, 2);
    }

    /** Gradient descent on ½·c·w² diverges for rates above 2/c. */
    @Test
    void suggestedRateConvergesOnAQuadratic() {
        Variable w = TestParameters.parameter("w", 1, 1);
        Optimizer sgd = new Sgd(TestParameters.group(w), 0);
        LearningRateFinder finder = new LearningRateFinder(1e-5, 100, 100);
        while (finder.isRunning()) {
            sgd.setLearningRate(finder.rate());
            finder.add(quadratic(w));
            sgd.step();
        }
        assertThat(finder.diverged()).isTrue();
        double rate = finder.suggestion().tenthOfMinimum();
        assertThat(rate).isBetween(1e-4, 2.0 / 10);

        Variable fresh = TestParameters.parameter("w", 1, 1);
        Optimizer again = new Sgd(TestParameters.group(fresh), rate);
        double before = quadratic(fresh);
        for (int step = 0; step < 50; step++) {
            quadratic(fresh);
            again.step();
        }
        assertThat(quadratic(fresh)).isLessThan(before / 2);
    }

    private static double quadratic(Variable w) {
        float[] at = w.value().toFloats();
        TestParameters.gradient(w, 10 * at[0], at[1]);
        return 0.5 * (10.0 * at[0] * at[0] + (double) at[1] * at[1]);
    }

    @Test
    void invalidArgumentsAndStatesAreRejected() {
        assertThatThrownBy(() -> new LearningRateFinder(0, 1, 100)).hasMessageContaining("rates are 0.0 to 1.0");
        assertThatThrownBy(() -> new LearningRateFinder(1, 1, 100)).hasMessageContaining("rates are 1.0 to 1.0");
        assertThatThrownBy(() -> new LearningRateFinder(1e-5, Double.NaN, 100)).hasMessageContaining("NaN");
        assertThatThrownBy(() -> new LearningRateFinder(1e-5, 1, 19)).hasMessageContaining("19 steps");
        assertThatThrownBy(() -> new LearningRateFinder(1e-5, 1, 20).suggestion())
                .isInstanceOf(IllegalStateException.class)
                .hasMessageContaining("still running, at step 0 of 20");
        assertThatThrownBy(() -> run(1e-5, 1, 100, rate -> 1 + rate).suggestion())
                .isInstanceOf(IllegalStateException.class)
                .hasMessageContaining("the loss never fell");
        assertThatThrownBy(() -> run(1, 10, 100, rate -> Math.pow(rate, 1e3)).suggestion())
                .isInstanceOf(IllegalStateException.class)
                .hasMessageContaining("start below 1.0");
    }
}
