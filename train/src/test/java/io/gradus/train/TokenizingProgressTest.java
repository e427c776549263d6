package io.gradus.train;

import static org.assertj.core.api.Assertions.assertThat;

import io.gradus.train.TrainingListener.Progress;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

class TokenizingProgressTest {

    @Test
    void progressIsReportedInPercentAfterTheFirstSecond() {
        List<Progress> reported = new ArrayList<>();
        long[] now = {5_000_000_000L};
        var progress = new TokenizingProgress("training text", reported::add, () -> now[0]);
        progress.accept(0.25);
        now[0] += 1_000_000_001L;
        progress.accept(0.355);
        progress.accept(1);
        assertThat(reported)
                .containsExactly(
                        new Progress("tokenizing training text", 35, 100),
                        new Progress("tokenizing training text", 100, 100));
    }
}
