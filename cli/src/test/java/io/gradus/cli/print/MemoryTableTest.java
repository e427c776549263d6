package io.gradus.cli.print;

import static org.assertj.core.api.Assertions.assertThat;

import io.gradus.core.MemoryCategory;
import io.gradus.train.memory.Comparison;
import io.gradus.train.memory.MemoryPlan;
import io.gradus.train.memory.ProcessPlan;
import io.gradus.train.memory.RuleOfThumb;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Tests memory tables on wide and narrow terminals. */
class MemoryTableTest {
    private static final MemoryPlan PLAN = new MemoryPlan(
            1000,
            8,
            256,
            Map.of(
                    MemoryCategory.WEIGHTS,
                    4000L,
                    MemoryCategory.GRADIENTS,
                    4000L,
                    MemoryCategory.OPTIMIZER_STATE,
                    8000L),
            Map.of(
                    MemoryCategory.WEIGHTS,
                    4000L,
                    MemoryCategory.GRADIENTS,
                    9000L,
                    MemoryCategory.OPTIMIZER_STATE,
                    8000L,
                    MemoryCategory.ACTIVATIONS,
                    1_234_567L),
            Map.of("exp_avg", 4000L),
            ProcessPlan.NONE);

    @Test
    void planTableHasOneLinePerCategory() {
        assertThat(String.join("\n", MemoryTable.lines(PLAN, 80)) + "\n").isEqualTo("""
            memory, planned     kept   at the peak
            weights           4.0 kB        4.0 kB
            gradients         4.0 kB        9.0 kB
            optimizer         8.0 kB        8.0 kB
              exp_avg         4.0 kB        4.0 kB
            activations            –        1.2 MB
            workspace              –             –
            all                16 kB        1.3 MB
            """);
    }

    @Test
    void comparisonTableHasOneLinePerVariant() {
        List<Comparison.Row> rows = List.of(new Comparison.Row("AdamW", PLAN), new Comparison.Row("the same", PLAN));
        assertThat(String.join("\n", MemoryTable.lines(rows, 80)) + "\n").isEqualTo("""
            at the peak   weights   gradients   optimizer   activations      all   process
            AdamW          4.0 kB      9.0 kB      8.0 kB        1.2 MB   1.3 MB    1.3 MB
            the same       4.0 kB      9.0 kB      8.0 kB        1.2 MB   1.3 MB    1.3 MB
            """);
    }

    @ParameterizedTest
    @ValueSource(ints = {30, 40, 60, 80, 200})
    void linesFitTheTerminalAndKeepThePeak(int width) {
        List<Comparison.Row> rows = List.of(new Comparison.Row("a name of several words, too long", PLAN));
        RuleOfThumb rule = new RuleOfThumb(7_000_000_000L, 2048, 4096, 32);
        Stream.of(MemoryTable.lines(PLAN, width), MemoryTable.lines(rows, width))
                .forEach(table -> assertThat(table.getLast()).endsWith(" 1.3 MB"));
        Stream.of(MemoryTable.lines(PLAN, width), MemoryTable.lines(rows, width), MemoryTable.lines(rule, width))
                .flatMap(List::stream)
                .forEach(line -> assertThat(line.length()).as(line).isLessThanOrEqualTo(width));
    }

    @Test
    void ruleOfThumbTableHasBothPrecisions() {
        assertThat(String.join("\n", MemoryTable.lines(new RuleOfThumb(7_000_000_000L, 2048, 4096, 32), 80)))
                .contains("weights, 4N or 2N         28 GB             14 GB")
                .contains("total, 16N               112 GB            112 GB")
                .contains("activations, s·b·d·L·k   6.4 GB            3.2 GB");
    }
}
