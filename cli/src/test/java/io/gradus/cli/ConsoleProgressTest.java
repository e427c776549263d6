package io.gradus.cli;

import static org.assertj.core.api.Assertions.assertThat;

import io.gradus.core.MemoryCategory;
import io.gradus.train.RunResult;
import io.gradus.train.TrainingListener.Evaluation;
import io.gradus.train.TrainingListener.Plan;
import io.gradus.train.TrainingListener.Progress;
import io.gradus.train.TrainingListener.Sample;
import io.gradus.train.TrainingListener.Skipped;
import io.gradus.train.TrainingListener.Step;
import io.gradus.train.memory.MemoryPlan;
import io.gradus.train.memory.ProcessPlan;
import io.gradus.train.recipe.Recipe;
import java.io.ByteArrayOutputStream;
import java.io.PrintStream;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.Map;
import java.util.OptionalLong;
import java.util.TreeMap;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.Consumer;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

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
                new TreeMap<>(Map.of("exp_avg", 4_938_268L, "exp_avg_sq", 4_938_268L)),
                new ProcessPlan(0, 5_000_000, 30_000_000, 60_000_000));
        return new Plan(RECIPE, Path.of("tuned"), memory, trained, 250_000, 1, first, steps, "8 threads");
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
            progress.progressed(new Progress("evaluating held-out text", 0, 2));
            progress.progressed(new Progress("evaluating held-out text", 1, 2));
            progress.evaluated(new Evaluation(0, "held_out", 4));
            progress.evaluated(new Evaluation(0, "general", 2));
            progress.sampled(new Sample(0, "Once", " upon"));
            for (int i = 1; i <= 11; i++) {
                progress.stepped(step(i));
            }
            progress.progressed(new Progress("evaluating held-out text", 0, 2));
            progress.evaluated(new Evaluation(11, "held_out", 3));
            progress.evaluated(new Evaluation(11, "general", 2.25));
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
                    Map.of(MemoryCategory.WEIGHTS, 4_938_268L, MemoryCategory.OPTIMIZER_STATE, 9_876_536L),
                    OptionalLong.of(123_456_789)));
        });

        assertThat(lines.replaceAll("(?m)^time .*$", "time")).isEqualTo("""
            model      base, 1,234,567 parameters, all trained
            text       corpus.txt, 250,000 tokens in blocks of 256
            device     8 threads
            rate       ▁▄████████▇▇▇▇▇▆▆▆▆▅▅▅▅▄▄▄▄▃▃▃▃▃▂▂▂▂▂▂▂▂  cosine, peak 5.0e-04
            output     tuned

            memory, planned      kept   at the peak
            weights            4.9 MB        4.9 MB
            gradients          4.9 MB        4.9 MB
            optimizer          9.9 MB        9.9 MB
              exp_avg          4.9 MB        4.9 MB
              exp_avg_sq       4.9 MB        4.9 MB
            activations             –             –
            workspace               –             –
            all tensors         20 MB         20 MB
            kept for reuse          –             –
            kernels' buffers        –        5.0 MB
            JVM and code            –         60 MB
            Java heap               –         30 MB
            the process             –        115 MB

            evaluating held-out text …
            step 0  held-out text loss 4.0000
            step 0  general text loss 2.0000

            ── before ──
            Once│ upon

            step 1/100  loss 4.0000  … left  4,096 tokens/s  lr 1.00e-03
            step 5/100  loss 1.2833 (mean of 4)  48 s left  4,096 tokens/s  lr 1.00e-03
            step 10/100  loss 0.5165 (mean of 5)  45 s left  4,096 tokens/s  lr 1.00e-03
            step 11  held-out text loss 3.0000
            step 11  general text loss 2.2500  +0.2500 since the start
            step 100/100  loss 0.2018 (mean of 2)  0 s left  4,096 tokens/s  lr 1.00e-03

            ── after 100 steps ──
            Once│ more

            loss            before    after   change
            held-out text   4.0000   3.0000   -25.0%

            peak memory 15 MB (planned 20 MB): 4.9 MB weights, 9.9 MB optimizer state
            process     123 MB at its peak (planned 115 MB): tensors, the JVM and its heap
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

    @Test
    void longStageIsPrintedEveryTenSeconds() {
        StringWriter out = new StringWriter();
        AtomicLong seconds = new AtomicLong();
        ConsoleProgress progress =
                new ConsoleProgress(Terminal.plain(new PrintWriter(out)), () -> seconds.getAndAdd(4) * 1_000_000_000);
        for (int i = 0; i < 8; i++) {
            progress.progressed(new Progress("evaluating held-out text", 1000 * i, 8000));
        }
        assertThat(out.toString().lines())
                .containsExactly(
                        "evaluating held-out text …",
                        "evaluating held-out text 3,000/8,000",
                        "evaluating held-out text 6,000/8,000");
    }

    // ---- on a terminal ----

    /** Standard output and standard error of a run on one terminal. */
    private static String screen(boolean moves, Consumer<ConsoleProgress> run) {
        StringWriter screen = new StringWriter();
        PrintWriter writer = new PrintWriter(screen);
        AtomicLong clock = new AtomicLong();
        StatusLine status =
                moves ? new StatusLine(writer, 60, () -> clock.getAndAdd(1_000_000_000)) : StatusLine.none();
        try (ConsoleProgress progress = new ConsoleProgress(new Terminal(writer, true, moves, status, 60))) {
            run.accept(progress);
        }
        return screen.toString();
    }

    @Test
    void statusLineOnATerminalReplacesTheLinesOfSteps() {
        String screen = screen(true, progress -> {
            progress.started(plan(0, 100));
            progress.stepped(step(1));
            progress.stepped(step(2));
        });
        assertThat(screen)
                .contains("─ 1/100  loss 4.000  … left  4,096 tokens/s\r")
                .contains("loss 3.000 (mean of 2)")
                .doesNotContain("step 1/100", "\u001B");
        assertThat(screen.lines().flatMap(line -> Stream.of(line.split("\r")))).allMatch(line -> line.length() <= 60);
    }

    @Test
    void interruptedRunStartsItsMessageOnAnEmptyLine() {
        String status = screen(true, progress -> {
            progress.started(plan(0, 100));
            progress.stepped(step(1));
            progress.stopping();
        });
        assertThat(status).containsPattern("\r +\rstopping after this step and saving a checkpoint …\\R");

        String lines = screen(false, progress -> {
            progress.started(plan(0, 100));
            progress.stepped(step(1));
            progress.stopping();
        });
        assertThat(lines).containsPattern("step 1/100.*\\R\\Rstopping after this step and saving a checkpoint …\\R");
    }

    @Test
    void everyLineFitsANarrowTerminal() {
        String lines = screen(false, progress -> {
            progress.started(plan(40, 1000));
            progress.evaluated(new Evaluation(0, "general", 2));
            for (int i = 41; i < 200; i++) {
                progress.stepped(step(i));
            }
            progress.skipped(new Skipped(200, 9, "the loss 9.0000 is 12.3 standard deviations above the mean of 2.0"));
            progress.evaluated(new Evaluation(11, "general", 2.25));
            progress.finished(new RunResult(
                    Path.of("tuned"),
                    1000,
                    Map.of("held_out", 4.0),
                    Map.of("held_out", 3.0),
                    500,
                    2.5,
                    1000,
                    2,
                    Map.of(MemoryCategory.WEIGHTS, 4_938_268L, MemoryCategory.OPTIMIZER_STATE, 9_876_536L),
                    OptionalLong.empty()));
        });
        assertThat(lines.lines()).allSatisfy(line -> assertThat(line).hasSizeLessThanOrEqualTo(60));
        assertThat(lines).contains("load_best_model_at_end=true");
    }
}
