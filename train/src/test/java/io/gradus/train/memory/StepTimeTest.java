package io.gradus.train.memory;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import org.junit.jupiter.api.Test;

class StepTimeTest {
    @Test
    void sevenBillionWeightsAndATokenTake42GigaflopsAndWithCheckpointing56() {
        assertThat(StepTime.of(7_000_000_000L, 1, false, 42e9, 0, 1).computing())
                .isEqualTo(1);
        assertThat(StepTime.of(7_000_000_000L, 1, true, 56e9, 0, 1).computing()).isEqualTo(1);
    }

    @Test
    void aGigabyteTakesEightSecondsAtOneGigabit() {
        assertThat(StepTime.sending(1_000_000_000L, 1e9)).isEqualTo(8);
    }

    @Test
    void stepTakesBetweenTheLongerPartAndTheSum() {
        StepTime time = new StepTime(3, 2);
        assertThat(time.atLeast()).isEqualTo(3);
        assertThat(time.atMost()).isCloseTo(5, within(1e-12));
    }
}
