package io.gradus.bench.report;

import static org.assertj.core.api.Assertions.assertThat;

import io.gradus.bench.measure.Outcome;
import java.util.List;
import org.junit.jupiter.api.Test;

class ReportTest {

    @Test
    void groupTableFitsEightyColumnsAndEndsWithMedianAndSlowest() {
        String text = Report.group(
                "cross-entropy, 2 threads",
                List.of(
                        new Result(
                                "gemm",
                                "cross-entropy fwd+bwd",
                                2,
                                new Outcome(12.3456, 14.5678, 1.18, 21, 19),
                                1.2e-7,
                                io.gradus.bench.measure.Work.flops(4e12),
                                Results.PEAKS),
                        Results.of("gemm", "another", 2, 2)));

        assertThat(text).contains("12346", "14568", "1.18×", "324", "108%", "19/21", "1e-07");
        assertThat(text).endsWith("median 1.59×, slowest 1.18×\n");
        assertThat(text.lines()).allMatch(line -> line.length() <= 80);
    }

    @Test
    void summaryShowsMetTargetsAndDisturbedCases() {
        Result disturbed = new Result("gpt2", "gpt2 B 4 T 64", 1, new Outcome(1, 1, 1, 9, 1), 0, null, Results.PEAKS);

        String text = Report.summary(List.of(disturbed, Results.of("memory", "GPT-2", 1, 1.4)));

        assertThat(text).containsPattern("GPT-2 training step, slower batch +1 +≥ 1.15 +1.00 +MISSED");
        assertThat(text).containsPattern("GPT-2 step, peak memory +1 +≥ 1.00 +1.40 +met");
        assertThat(text).contains("1 of 2 cases had too few quiet samples");
    }
}
