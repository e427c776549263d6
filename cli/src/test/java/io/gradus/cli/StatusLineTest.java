package io.gradus.cli;

import static org.assertj.core.api.Assertions.assertThat;

import io.gradus.train.TrainingListener.Progress;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.util.List;
import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** The line at the bottom of a terminal. */
class StatusLineTest {
    private final StringWriter screen = new StringWriter();
    private final AtomicLong clock = new AtomicLong();
    private final StatusLine status = new StatusLine(new PrintWriter(screen), 41, clock::get);

    @ParameterizedTest
    @CsvSource(
            delimiter = ';',
            value = {
                "100; ━━━━━━━━━━━━━━━━━━━━━━───────────────────────"
                        + " 20/40  loss 3.733  12 s left  808 tokens/s  lr 3.1e-04",
                "60; ━━━━━━━━───────── 20/40  loss 3.733  12 s left  808 tokens/s",
                "30; ━━━━━━────── 20/40  loss 3.733",
                "10; ━━── 20/40",
                "3; 20/40",
            })
    void barFillsTheRemainingWidth(int width, String expected) {
        String line = StatusLine.bar(20, 40, List.of("loss 3.733", "12 s left", "808 tokens/s", "lr 3.1e-04"), width);

        assertThat(line.strip()).isEqualTo(expected);
        assertThat(line).hasSize(Math.max(width, 6));
    }

    @Test
    void shorterTextReplacesALongerOneCompletely() {
        status.show(new Progress("loading the model", 0, 0));
        status.show(new Progress("saving", 0, 0));
        status.clear();

        assertThat(screen).hasToString("\rloading the model …\r" + "\rsaving …           \r" + "\r        \r");
    }

    @Test
    void stageWithAKnownEndHasABar() {
        status.show(new Progress("evaluating", 0, 8));

        assertThat(screen).hasToString("\r" + "─".repeat(24) + " 0/8  evaluating\r");
    }

    @Test
    void barIsRedrawnTenTimesPerSecond() {
        for (int i = 1; i <= 30; i++) {
            clock.set(i * 10_000_000L);
            status.show(i, 30, List.of());
        }
        assertThat(screen.toString().split("\r+")).hasSize(1 + 3);
    }

    @Test
    void clearedLineWritesNothing() {
        status.clear();
        StatusLine.none().show(new Progress("loading", 0, 0));

        assertThat(screen.toString()).isEmpty();
    }
}
