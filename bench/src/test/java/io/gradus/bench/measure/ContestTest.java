package io.gradus.bench.measure;

import static org.assertj.core.api.Assertions.assertThat;

import io.gradus.bench.measure.Contest.Budget;
import io.gradus.bench.measure.Contest.Pair;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.concurrent.locks.LockSupport;
import org.junit.jupiter.api.Test;

class ContestTest {

    @Test
    void ratioIsTheMedianOfThePairsRatios() {
        Outcome outcome = Contest.outcome(List.of(new Pair(1, 2, true), new Pair(10, 5, true), new Pair(3, 9, true)));

        assertThat(outcome.ratio()).isEqualTo(2);
        assertThat(outcome.ours()).isEqualTo(3);
        assertThat(outcome.theirs()).isEqualTo(5);
    }

    @Test
    void disturbedPairsAreIgnoredIfEnoughAreQuiet() {
        Outcome outcome = Contest.outcome(List.of(
                new Pair(1, 2, true),
                new Pair(100, 1, false),
                new Pair(100, 1, false),
                new Pair(1, 3, true),
                new Pair(1, 4, true)));

        assertThat(outcome).isEqualTo(new Outcome(1, 3, 3, 5, 3));
        assertThat(outcome.isDisturbed()).isFalse();
    }

    @Test
    void allPairsCountIfTooFewAreQuiet() {
        Outcome outcome = Contest.outcome(List.of(new Pair(1, 1, false), new Pair(1, 5, false), new Pair(1, 9, true)));

        assertThat(outcome.ratio()).isEqualTo(5);
        assertThat(outcome.isDisturbed()).isTrue();
    }

    @Test
    void sidesAlternateAndTheFirstSideSwitchesFromPairToPair() {
        List<String> order = Collections.synchronizedList(new ArrayList<>());
        Contest contest = new Contest(new Budget(3, 0, 0, 0));

        Outcome outcome = contest.run(() -> sleep(order, "ours", 1), () -> sleep(order, "theirs", 3));

        // One warmup run of each side, then the pairs.
        assertThat(order).containsExactly("ours", "theirs", "ours", "theirs", "theirs", "ours", "ours", "theirs");
        assertThat(outcome.pairs()).isEqualTo(3);
        assertThat(outcome.theirs()).isGreaterThan(0.003);
        assertThat(outcome.ratio()).isGreaterThan(1);
    }

    private static void sleep(List<String> order, String who, int millis) {
        order.add(who);
        long end = System.nanoTime() + millis * 1_000_000L;
        while (System.nanoTime() < end) {
            LockSupport.parkNanos(end - System.nanoTime());
        }
    }
}
