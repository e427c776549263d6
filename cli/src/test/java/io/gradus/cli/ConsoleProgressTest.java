package io.gradus.cli;

import static org.assertj.core.api.Assertions.assertThat;

import io.gradus.core.MemoryCategory;
import io.gradus.train.RunResult;
import io.gradus.train.TrainingListener.Evaluation;
import io.gradus.train.TrainingListener.Plan;
import io.gradus.train.TrainingListener.Sample;
import io.gradus.train.TrainingListener.Step;
import io.gradus.train.memory.MemoryPlan;
import io.gradus.train.recipe.Recipe;
import java.io.ByteArrayOutputStream;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.function.Consumer;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Tests the plain output of a run and the line of the progress bar. */
class ConsoleProgressTest {
    private static final Recipe RECIPE =
            Recipe.parse("{model: {path: base}, data: {train: corpus.txt}, output: tuned}");

    private static Plan plan(int first, int steps) {
        return plan(first, steps, 1_234_567);
    }

    private static Plan plan(int first, int steps, long trained) {
        Map<MemoryCategory, Long> bytes = Map.of(
                MemoryCategory.WEIGHTS,
                4_938_268L,
                MemoryCategory.GRADIENTS,
                4_938_268L,
                MemoryCategory.OPTIMIZER_STATE,
                9_876_536L);
        MemoryPlan memory = new MemoryPlan(
                1_234_567,
                8,
                256,
                bytes,
                bytes,
                new TreeMap<>(Map.of("exp_avg", 4_938_268L, "exp_avg_sq", 4_938_268L)));
        return new Plan(RECIPE, Path.of("tuned"), memory, trained, 250_000, first, steps, "8 threads");
    }

    private static Step step(int step) {
        return new Step(step, 4.0 / step, 1e-3, 1.5, 2048, 0.5);
    }

    private static String lines(Consumer<ConsoleProgress> run) {
        ByteArrayOutputStream bytes = new ByteArrayOutputStream();
        try (ConsoleProgress progress = ConsoleProgress.plain(new PrintStream(bytes, true, StandardCharsets.UTF_8))) {
            run.accept(progress);
        }
        return bytes.toString(StandardCharsets.UTF_8).replace(System.lineSeparator(), "\n");
    }

    @Test
    void plainOutputOfARunHasSummaryStepsAndResult() {
        String lines = lines(progress -> {
            progress.started(plan(0, 100));
            progress.evaluated(new Evaluation(0, "held_out", 4));
            progress.evaluated(new Evaluation(0, "general", 2));
            progress.sampled(new Sample(0, "Once", " upon"));
            for (int i = 1; i <= 11; i++) {
                progress.stepped(step(i));
            }
            progress.evaluated(new Evaluation(11, "held_out", 3));
            progress.stepped(step(100));
            progress.sampled(new Sample(100, "Once", " more"));
            progress.finished(new RunResult(
                    Path.of("tuned"),
                    100,
                    Map.of("held_out", 4.0),
                    Map.of("held_out", 3.0),
                    100,
                    3.0,
                    100,
                    0,
                    Map.of(MemoryCategory.WEIGHTS, 4_938_268L, MemoryCategory.OPTIMIZER_STATE, 9_876_536L)));
        });

        assertThat(lines.replaceAll("(?m)^time .*$", "time")).isEqualTo("""
            model      base, 1,234,567 parameters, all trained
            text       corpus.txt, 250,000 tokens in blocks of 256
            device     8 threads
            rate       ▁▄████████▇▇▇▇▇▆▆▆▆▅▅▅▅▄▄▄▄▃▃▃▃▃▂▂▂▂▂▂▂▂  cosine, peak 5.0e-04
            output     tuned

            memory, planned     kept   at the peak
            weights           4.9 MB        4.9 MB
            gradients         4.9 MB        4.9 MB
            optimizer         9.9 MB        9.9 MB
              exp_avg         4.9 MB        4.9 MB
              exp_avg_sq      4.9 MB        4.9 MB
            activations            –             –
            workspace              –             –
            all                20 MB         20 MB

            ── before ──
            Once│ upon

            step 1/100  loss 4.0000  lr 1.00e-03  4,096 tokens/s  … left
            step 5/100  loss 3.0482  lr 1.00e-03  4,096 tokens/s  48 s left
            step 10/100  loss 2.0058  lr 1.00e-03  4,096 tokens/s  45 s left
            step 11  held-out text loss 3.0000
            step 100/100  loss 1.6614  lr 1.00e-03  4,096 tokens/s  0 s left

            ── after 100 steps ──
            Once│ more

            loss                before     after    change
            held-out text       4.0000    3.0000    -25.0%

            peak memory 15 MB (planned 20 MB): 4.9 MB weights, 9.9 MB optimizer state
            time
            saved       tuned
            report      tuned/report.html
            """);
    }

    @Test
    void trainedParametersExcludeFrozenOnes() {
        assertThat(lines(progress -> progress.started(plan(0, 100, 1_000_000))))
                .startsWith("model      base, 1,234,567 parameters, 1,000,000 of them trained\n");
    }

    @Test
    void resumedRunPrintsItsFirstStep() {
        assertThat(lines(progress -> progress.started(plan(40, 100)))).contains("resuming   after step 40 of 100\n");
    }

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
    void progressBarFillsTheRemainingWidth(int width, String expected) {
        String line =
                ConsoleProgress.line(20, 40, List.of("loss 3.733", "12 s left", "808 tokens/s", "lr 3.1e-04"), width);

        assertThat(line.strip()).isEqualTo(expected);
        assertThat(line).hasSize(Math.max(width, 6));
    }
}
