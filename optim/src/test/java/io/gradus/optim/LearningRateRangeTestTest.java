package io.gradus.optim;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import io.gradus.autograd.Variable;
import java.util.function.DoubleUnaryOperator;
import org.junit.jupiter.api.Test;

/** Rates grow by a constant factor, losses are smoothed, and the proposal lies where the loss falls. */
class LearningRateRangeTestTest {

    private static LearningRateRangeTest run(double low, double high, int steps, DoubleUnaryOperator loss) {
        LearningRateRangeTest test = new LearningRateRangeTest(low, high, steps);
        while (test.goesOn()) {
            test.add(loss.applyAsDouble(test.rate()));
        }
        return test;
    }

    @Test
    void ratesGrowFromTheFirstToTheLastByAConstantFactor() {
        LearningRateRangeTest test = run(1e-7, 10, 100, rate -> 1);
        assertThat(test.points()).hasSize(100);
        assertThat(test.diverged()).isFalse();
        assertThat(test.points().getFirst().rate()).isEqualTo(1e-7);
        assertThat(test.points().getLast().rate()).isCloseTo(10, within(1e-12));
        double factor = Math.pow(1e8, 1.0 / 99);
        for (int i = 1; i < 100; i++) {
            assertThat(test.points().get(i).rate() / test.points().get(i - 1).rate())
                    .isCloseTo(factor, within(1e-9));
        }
    }

    @Test
    void lossesAreSmoothedAndTheBiasIsTakenOut() {
        LearningRateRangeTest test = new LearningRateRangeTest(1e-5, 1, 20);
        test.add(3);
        test.add(2);
        test.add(7);
        assertThat(test.points().get(0).smoothed()).isCloseTo(3, within(1e-12));
        assertThat(test.points().get(1).smoothed()).isCloseTo((0.98 * 3 + 2) / 1.98, within(1e-12));
        assertThat(test.points().get(2).smoothed())
                .isCloseTo((0.98 * 0.98 * 3 + 0.98 * 2 + 7) / (0.98 * 0.98 + 0.98 + 1), within(1e-12));
        assertThat(test.points().get(2).loss()).isEqualTo(7);
    }

    /** A loss that falls as a step of the logistic function of ln(rate), steepest at 1e-3, and rises above 1e-1. */
    @Test
    void theProposalLiesOnTheSlopeAndBelowTheMinimum() {
        LearningRateRangeTest test =
                run(1e-6, 10, 200, rate -> 1 + 4 / (1 + Math.pow(rate / 1e-3, 2)) + Math.pow(rate / 0.3, 4));
        LearningRateRangeTest.Proposal proposal = test.proposal();
        assertThat(test.diverged()).isTrue();
        // the average of 50 steps lags behind: by no more than a factor of 10
        assertThat(proposal.steepest()).isBetween(1e-3, 1e-2);
        assertThat(proposal.minimumTenth()).isBetween(1e-2, 0.1);
    }

    @Test
    void itStopsWhereTheLossDiverges() {
        LearningRateRangeTest test = run(1e-6, 10, 100, rate -> rate < 0.01 ? 2 - rate : 1e4);
        assertThat(test.diverged()).isTrue();
        assertThat(test.points().getLast().rate()).isBetween(0.01, 0.02);
        assertThatThrownBy(() -> test.add(1)).isInstanceOf(IllegalStateException.class);

        LearningRateRangeTest infinite = run(1e-6, 10, 100, rate -> rate < 0.01 ? 2 - rate : Double.NaN);
        assertThat(infinite.diverged()).isTrue();
        assertThat(infinite.proposal().steepest()).isLessThan(0.01);
    }

    /** Gradient descent on ½·c·w² diverges above 2/c, and the proposal is a rate that does not. */
    @Test
    void theProposalTrainsWhatItWasFoundFor() {
        Variable w = Given.parameter("w", 1, 1);
        Optimizer sgd = new Sgd(Given.group(w), 0);
        LearningRateRangeTest test = new LearningRateRangeTest(1e-5, 100, 100);
        while (test.goesOn()) {
            sgd.setLearningRate(test.rate());
            test.add(quadratic(w));
            sgd.step();
        }
        assertThat(test.diverged()).isTrue();
        double rate = test.proposal().minimumTenth();
        assertThat(rate).isBetween(1e-4, 2.0 / 10);

        Variable fresh = Given.parameter("w", 1, 1);
        Optimizer again = new Sgd(Given.group(fresh), rate);
        double before = quadratic(fresh);
        for (int step = 0; step < 50; step++) {
            quadratic(fresh);
            again.step();
        }
        assertThat(quadratic(fresh)).isLessThan(before / 2);
    }

    private static double quadratic(Variable w) {
        float[] at = w.value().toFloats();
        Given.gradient(w, 10 * at[0], at[1]);
        return 0.5 * (10.0 * at[0] * at[0] + (double) at[1] * at[1]);
    }

    @Test
    void whatMakesNoSenseIsRefused() {
        assertThatThrownBy(() -> new LearningRateRangeTest(0, 1, 100)).hasMessageContaining("rates from 0.0 to 1.0");
        assertThatThrownBy(() -> new LearningRateRangeTest(1, 1, 100)).hasMessageContaining("rates from 1.0 to 1.0");
        assertThatThrownBy(() -> new LearningRateRangeTest(1e-5, Double.NaN, 100))
                .hasMessageContaining("NaN");
        assertThatThrownBy(() -> new LearningRateRangeTest(1e-5, 1, 19)).hasMessageContaining("19 steps");
        assertThatThrownBy(() -> new LearningRateRangeTest(1e-5, 1, 20).proposal())
                .isInstanceOf(IllegalStateException.class)
                .hasMessageContaining("still goes on, at step 0 of 20");
        assertThatThrownBy(() -> run(1e-5, 1, 100, rate -> 1 + rate).proposal())
                .isInstanceOf(IllegalStateException.class)
                .hasMessageContaining("the loss never fell");
        assertThatThrownBy(() -> run(1, 10, 100, rate -> Math.pow(rate, 1e3)).proposal())
                .isInstanceOf(IllegalStateException.class)
                .hasMessageContaining("begin lower than 1.0");
    }
}
