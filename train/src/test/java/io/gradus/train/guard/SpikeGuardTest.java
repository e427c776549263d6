package io.gradus.train.guard;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** A loss far above those before it is a spike; noise, a falling loss and the first losses are none. */
class SpikeGuardTest {
    private final SpikeGuard guard = new SpikeGuard(4.0, SpikeGuard.State.NONE);

    /** Losses 1, 3, 1, 3, …: mean 2, and with n of them the standard deviation √(n / (n − 1)). */
    private void settle(SpikeGuard settled) {
        for (int i = 0; i < SpikeGuard.WINDOW; i++) {
            assertThat(settled.reasonToSkip(i % 2 == 0 ? 1 : 3)).isEmpty();
        }
    }

    @Test
    void spikeLimitIsInStandardDeviations() {
        settle(guard);
        double deviation = Math.sqrt(64 / 63.0);

        assertThat(guard.reasonToSkip(2 + 4.001 * deviation))
                .contains("its loss of 6.033 is 4.0 standard deviations above the mean of the last 64, 2.000");
        assertThat(guard.reasonToSkip(2 + 3.999 * deviation)).isEmpty();
    }

    @Test
    void spikesDoNotEnterTheStatistics() {
        settle(guard);
        SpikeGuard.State before = guard.state();
        assertThat(guard.reasonToSkip(100)).isPresent();

        assertThat(guard.state().losses()).isEqualTo(before.losses());
        assertThat(guard.state().skipped()).isEqualTo(1);
        assertThat(guard.reasonToSkip(99)).isPresent();
        assertThat(guard.state().inARow()).isEqualTo(2);
        assertThat(guard.reasonToSkip(2)).isEmpty();
        assertThat(guard.state().inARow()).isZero();
        assertThat(guard.state().skipped()).isEqualTo(2);
    }

    @ParameterizedTest
    @ValueSource(doubles = {Double.NaN, Double.POSITIVE_INFINITY})
    void nonFiniteLossIsASpike(double loss) {
        settle(guard);

        assertThat(guard.reasonToSkip(loss)).contains("its loss is " + loss);
    }

    @Test
    void noSpikeIsDetectedBeforeEnoughLosses() {
        for (int i = 1; i < SpikeGuard.ENOUGH; i++) {
            guard.reasonToSkip(1);
        }
        assertThat(guard.reasonToSkip(1000)).isEmpty();
    }

    @Test
    void noisyFallingLossHasNoSpikes() {
        SpikeGuard careful = new SpikeGuard(6.0, SpikeGuard.State.NONE);
        Random random = new Random(3);
        for (int step = 0; step < 2000; step++) {
            double loss = 2 + 6 * Math.exp(-step / 300.0) + 0.1 * random.nextGaussian();
            assertThat(careful.reasonToSkip(loss)).isEmpty();
        }
    }

    @Test
    void nearlyConstantLossHasNoSpikes() {
        for (int i = 0; i < 30; i++) {
            assertThat(guard.reasonToSkip(2)).isEmpty();
        }
        assertThat(guard.reasonToSkip(2.07)).isEmpty(); // 3.5 hundredths of the mean
        assertThat(guard.reasonToSkip(2.2)).isPresent();
    }

    @Test
    void tooManySpikesInARowEndTheRun() {
        settle(guard);
        for (int i = 1; i < SpikeGuard.TOO_MANY; i++) {
            assertThat(guard.reasonToSkip(50)).isPresent();
        }
        assertThatThrownBy(() -> guard.reasonToSkip(50))
                .isInstanceOf(TrainingException.class)
                .hasMessage(
                        "the last 10 steps were all skipped as loss spikes: the loss does not return to its level of"
                                + " 2.000; use a lower learning_rate, a longer warmup, or a higher spike_z (now"
                                + " 4.0)");
    }

    @Test
    void withoutALimitNoStepIsSkipped() {
        SpikeGuard off = new SpikeGuard(null, SpikeGuard.State.NONE);
        settle(off);

        assertThat(off.reasonToSkip(1e9)).isEmpty();
        assertThat(off.state()).isEqualTo(SpikeGuard.State.NONE);
    }

    /** Stopped anywhere and made anew from its state, it says the same. */
    @Test
    void spikeGuardResumesFromItsState() {
        Random random = new Random(5);
        List<Double> losses = new ArrayList<>();
        for (int i = 0; i < 300; i++) {
            losses.add(random.nextInt(20) == 0 ? 9 : 2 + random.nextDouble());
        }
        List<Optional<String>> whole = losses.stream().map(guard::reasonToSkip).toList();
        assertThat(whole).anyMatch(Optional::isPresent);

        SpikeGuard.State state = SpikeGuard.State.NONE;
        for (int i = 0; i < losses.size(); i++) {
            SpikeGuard again = new SpikeGuard(4.0, state);
            assertThat(again.reasonToSkip(losses.get(i))).isEqualTo(whole.get(i));
            state = again.state();
        }
        assertThat(state).isEqualTo(guard.state());
    }
}
