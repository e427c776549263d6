package io.gradus.train.guard;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;

/** The lowest loss is remembered with its step, and patience ends when none is lower for so many evaluations. */
class EarlyStoppingTest {
    private final EarlyStopping stopping = new EarlyStopping(2, EarlyStopping.State.NONE);

    @Test
    void stopsAfterPatienceEvaluationsWithoutALowerLoss() {
        assertThat(stopping.improvedBy(0, 3)).isTrue();
        assertThat(stopping.improvedBy(10, 2)).isTrue();
        assertThat(stopping.improvedBy(20, 2)).as("as low is not lower").isFalse();
        assertThat(stopping.isExhausted()).isFalse();
        assertThat(stopping.improvedBy(30, 1.9)).isTrue();
        assertThat(stopping.improvedBy(40, 2.5)).isFalse();
        assertThat(stopping.improvedBy(50, 2.5)).isFalse();

        assertThat(stopping.isExhausted()).isTrue();
        assertThat(stopping.best()).isEqualTo(new EarlyStopping.State(30, 1.9, 2));
    }

    @Test
    void untrainedModelIsACandidate() {
        stopping.improvedBy(0, 1);
        stopping.improvedBy(10, 2);
        stopping.improvedBy(20, 3);

        assertThat(stopping.isExhausted()).isTrue();
        assertThat(stopping.best().step()).isZero();
    }

    @Test
    void withoutPatienceItNeverStops() {
        EarlyStopping endless = new EarlyStopping(null, EarlyStopping.State.NONE);
        for (int step = 0; step < 100; step++) {
            endless.improvedBy(step, 1 + step);
        }
        assertThat(endless.isExhausted()).isFalse();
        assertThat(endless.best().loss()).isEqualTo(1);
    }

    @Test
    void earlyStoppingResumesFromItsState() {
        stopping.improvedBy(0, 3);
        stopping.improvedBy(1, 4);
        EarlyStopping again = new EarlyStopping(2, stopping.best());
        again.improvedBy(2, 4);

        assertThat(again.isExhausted()).isTrue();
        assertThat(again.best()).isEqualTo(new EarlyStopping.State(0, 3, 2));
    }
}
