package io.gradus.cli.report;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatCode;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.gradus.core.MemoryCategory;
import io.gradus.train.RunResult;
import io.gradus.train.TrainingListener.Evaluation;
import io.gradus.train.TrainingListener.Plan;
import io.gradus.train.TrainingListener.Sample;
import io.gradus.train.TrainingListener.Step;
import io.gradus.train.guard.TrainingException;
import io.gradus.train.memory.MemoryPlan;
import io.gradus.train.memory.ProcessPlan;
import io.gradus.train.recipe.Recipe;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Clock;
import java.time.Instant;
import java.time.ZoneOffset;
import java.util.Map;
import java.util.OptionalLong;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class RunReportTest {
    private static final Clock NOON = Clock.fixed(Instant.parse("2026-03-01T12:00:00Z"), ZoneOffset.UTC);
    private static final String STEP = "{\"step\":%d,\"loss\":%s,\"learning_rate\":5.0E-4,\"grad_norm\":1.5,"
            + "\"tokens\":1000,\"tokens_per_second\":500}\n";

    @TempDir
    private Path folder;

    @Test
    void reportShowsAllResultsOfARun() throws Exception {
        String html = report(
                0,
                2,
                "{\"step\":0,\"held_out_loss\":4.0}\n{\"step\":0,\"general_loss\":1.0}\n" + STEP.formatted(1, "4.5")
                        + STEP.formatted(2, "3.5")
                        + "{\"step\":2,\"held_out_loss\":3.0}\n{\"step\":2,\"general_loss\":1.25}\n",
                new Sample(0, "To be", " happy"),
                new Sample(2, "To be", " or not"));
        assertThat(html)
                .contains("<title>my-llama, fine-tuned on plays.txt</title>")
                .contains("1 Mar 2026, 12:00")
                .contains("All 260,032 parameters were trained, in 2 steps")
                .contains("<span class=\"before\">4.000 →</span> 3.000")
                .contains("<div class=\"change better\">−25.0%</div>")
                .contains("<span class=\"before\">1.000 →</span> 1.250")
                .contains("<div class=\"change worse\">+25.0%</div>")
                .contains("perplexity 54.6 → 20.1")
                .contains("<span class=\"prompt\">To be</span> happy</div>")
                .contains("<h3>After 2 steps</h3>", "<span class=\"prompt\">To be</span> or not</div>")
                .contains("Peak memory: 4.0 kB measured, 3.9 kB planned", "Optimizer state", "75.0%")
                .contains("The whole process, with the JVM and its heap, took 123 MB at its peak, 100 MB planned.")
                .contains("<td class=\"number\">2.9 kB</td><td class=\"number\">3.0 kB</td>")
                .contains("<rect class=\"optimizer-state\" x=\"250.00\" y=\"0\" width=\"750.00\"")
                .contains("2,000 targets: 0.20 passes over 10,000 tokens, in blocks of 64")
                .contains("<td>a CPU</td>", "<td>42</td>", "<td>" + Runtime.version())
                .contains("learning_rate: 5.0E-4")
                .contains("from_pretrained(folder)", "./gradus generate --model");
    }

    @Test
    void reportCountsTrainedParametersIfSomeAreFrozen() throws Exception {
        Files.writeString(folder.resolve("metrics.jsonl"), STEP.formatted(1, "4.5"));
        RunReport report = new RunReport(NOON);
        report.started(plan(0, 1, 181_000));
        report.finished(result(1));
        assertThat(folder.resolve("report.html"))
                .content()
                .contains("181,000 of 260,032 parameters were trained, in 1 step", "<td>181,000 of 260,032</td>")
                .doesNotContain("260,032, all");
    }

    @Test
    void reportCountsSkippedStepsAndNamesTrainingTexts() throws Exception {
        Files.writeString(folder.resolve("metrics.jsonl"), STEP.formatted(1, "4.5"));
        Recipe recipe = Recipe.parse("{model: {path: my-llama}, data: {sources: [text.txt, labelled.csv]}}");
        MemoryPlan memory = new MemoryPlan(260_032, 8, 64, Map.of(), Map.of(), Map.of(), ProcessPlan.NONE);
        RunReport report = new RunReport(NOON);
        report.started(new Plan(recipe, folder, memory, 260_032, 10_000, 1, 0, 9, "a CPU"));
        report.finished(new RunResult(folder, 9, Map.of(), Map.of(), 9, 0, 9, 3, Map.of(), OptionalLong.empty()));
        assertThat(folder.resolve("report.html")).content().contains("3 skipped", "text.txt and labelled.csv");
    }

    @Test
    void reportIsSelfContainedWithoutScripts() throws Exception {
        String html = report(0, 1, STEP.formatted(1, "4.5"));
        assertThat(html)
                .startsWith("<!doctype html>")
                .contains("default-src 'none'")
                .doesNotContainIgnoringCase("<script", "<link", "<img", "http:", "https:", "url(", "@import", "{{");
    }

    @Test
    void generatedTextIsEscaped() throws Exception {
        String nasty = "</div><script>alert('1')</script> & \"<b>\" \u0000\u001b[31m {{model}} {{{python}}}";
        String html = report(0, 1, STEP.formatted(1, "4.5"), new Sample(0, "<i>", nasty), new Sample(1, nasty, nasty));
        assertThat(html)
                .doesNotContain("<script", "<i>", "<b>", "\u0000", "\u001b")
                .contains(
                        "&lt;script&gt;alert(&#39;1&#39;)&lt;/script&gt; &amp; &quot;&lt;b&gt;&quot;",
                        "␀␛[31m {{model}} {{{python}}}");
    }

    @Test
    void reportHandlesRunsOfZeroAndOneSteps() throws Exception {
        assertThat(report(0, 0, ""))
                .contains("nothing to draw", "not evaluated", "<td>0 targets: 0.00 passes")
                .doesNotContain("Samples", "NaN");
        assertThat(report(0, 1, STEP.formatted(1, "4.5")))
                .contains("<circle class='training'", "in 1 step, in Java")
                .doesNotContain("NaN");
    }

    @Test
    void nonFiniteNumbersAreDashesAndGaps() throws Exception {
        String html = report(
                0,
                3,
                "{\"step\":0,\"held_out_loss\":4.0}\n" + STEP.formatted(1, "4.5") + STEP.formatted(2, "\"NaN\"")
                        + STEP.formatted(3, "\"Infinity\"") + "{\"step\":3,\"held_out_loss\":\"NaN\"}\n");
        assertThat(html).contains("<span class=\"before\">4.000 →</span> –").doesNotContain("NaN", "Infinity");
    }

    @Test
    void resumedRunIsShownFromItsFirstStep() throws Exception {
        StringBuilder lines = new StringBuilder("{\"step\":0,\"held_out_loss\":8.0}\n");
        lines.append("{\"step\":0,\"prompt\":\"To be\",\"text\":\" at first\"}\n");
        for (int step = 1; step <= 40; step++) {
            lines.append(STEP.formatted(step, 8 - 0.1 * step));
        }
        lines.append("{\"step\":40,\"held_out_loss\":2.0}\n");
        String html = report(
                20, 40, lines.toString(), new Sample(20, "To be", " halfway"), new Sample(40, "To be", " at last"));
        assertThat(html)
                .contains("<span class=\"before\">8.000 →</span> 2.000", "−75.0%")
                .contains("Training loss: 7.900 at step 1, 4.000 at step 40.")
                .contains("</span> at first</div>", "</span> at last</div>", "40, resumed after 20")
                .contains("<div class=\"figure\">1:20 min</div>")
                .doesNotContain("halfway");
    }

    @Test
    void unwritableReportOfAFinishedRunIsAnError() throws Exception {
        Files.createDirectories(folder.resolve("report.html/full"));
        RunReport report = new RunReport(NOON);
        report.started(plan(0, 1));
        assertThatThrownBy(() -> report.finished(result(1)))
                .isInstanceOf(UncheckedIOException.class)
                .hasMessageContaining("the model was saved, but the report was not")
                .hasMessageContaining("report.html");
    }

    // ---- unfinished runs ----

    private static Step step(int step) {
        return new Step(step, 4.5 - step, 5e-4, 1.5, 1000, 2);
    }

    @Test
    void evaluationDuringARunUpdatesTheReport() throws Exception {
        RunReport report = new RunReport(NOON);
        report.started(plan(0, 1000));
        report.evaluated(new Evaluation(0, "held_out", 4));
        assertThat(html()).contains("This run is at step 0 of 1,000.", "4.000");

        report.sampled(new Sample(0, "To be", " happy"));
        report.stepped(step(1));
        report.stepped(step(2));
        report.evaluated(new Evaluation(2, "held_out", 3));
        assertThat(html())
                .contains("This run is at step 2 of 1,000.", "in 2 of 1,000 steps", "1 Mar 2026, 12:00")
                .contains(
                        "<span class=\"before\">4.000 →</span> 3.000",
                        "Training loss: 3.500 at step 1, 2.500 at step 2.")
                .contains(" happy</div>", "learning_rate: 5.0E-4")
                .doesNotContain("Using the model", "Peak memory", "stopped early", "NaN");
    }

    @Test
    void checkpointUpdatesTheReport() throws Exception {
        RunReport report = new RunReport(NOON);
        report.started(plan(0, 10));
        report.stepped(step(1));
        report.checkpointed(folder.resolve("checkpoints/step-000001"));
        assertThat(html()).contains("This run is at step 1 of 10.");
    }

    @Test
    void failedRunHasAReportWithTheReason() throws Exception {
        RunReport report = new RunReport(NOON);
        report.started(plan(0, 10));
        report.evaluated(new Evaluation(0, "held_out", 4));
        report.stepped(step(1));
        report.failed(new TrainingException("step 2: the loss is NaN; a lower learning_rate often helps"));
        assertThat(html())
                .contains("This run has not finished: step 2: the loss is NaN", "in 1 of 10 steps")
                .doesNotContain("This run is at step");
    }

    @Test
    void runThatFailsBeforeItWritesAnythingHasNoReport() {
        RunReport report = new RunReport(NOON);
        report.started(plan(0, 10));
        report.failed(new TrainingException("worse than guessing"));
        assertThat(folder.resolve("report.html")).doesNotExist();
    }

    @Test
    void resumedRunThatIsStoppedShowsItsEarlierSteps() throws Exception {
        Files.writeString(
                folder.resolve("metrics.jsonl"),
                "{\"step\":0,\"held_out_loss\":8.0}\n" + STEP.formatted(1, "7") + STEP.formatted(2, "6"));
        RunReport report = new RunReport(NOON);
        report.started(plan(2, 10));
        report.stepped(step(3));
        report.failed(new TrainingException("stopped after step 3 of 10"));
        assertThat(html()).contains("Training loss: 7.000 at step 1, 1.500 at step 3.", "stopped after step 3 of 10");
    }

    @Test
    void unwritableReportDoesNotEndTheRun() throws Exception {
        Files.createDirectories(folder.resolve("report.html/full"));
        RunReport report = new RunReport(NOON);
        report.started(plan(0, 10));
        assertThatCode(() -> {
                    report.evaluated(new Evaluation(0, "held_out", 4));
                    report.failed(new TrainingException("stopped"));
                })
                .doesNotThrowAnyException();
    }

    private String html() throws Exception {
        return Files.readString(folder.resolve("report.html"));
    }

    private String report(int first, int steps, String metrics, Sample... samples) throws Exception {
        Files.writeString(folder.resolve("metrics.jsonl"), metrics);
        RunReport report = new RunReport(NOON);
        report.started(plan(first, steps));
        Stream.of(samples).forEach(report::sampled);
        report.finished(result(steps));
        return Files.readString(folder.resolve("report.html"));
    }

    private Plan plan(int first, int steps) {
        return plan(first, steps, 260_032);
    }

    private Plan plan(int first, int steps, long trained) {
        Recipe recipe = Recipe.parse("{model: {path: models/my-llama}, data: {train: texts/plays.txt}}");
        Map<MemoryCategory, Long> bytes = Map.of(MemoryCategory.WEIGHTS, 1000L, MemoryCategory.OPTIMIZER_STATE, 2900L);
        MemoryPlan memory =
                new MemoryPlan(260_032, 8, 64, bytes, bytes, Map.of(), new ProcessPlan(0, 0, 40_000_000, 60_000_000));
        return new Plan(recipe, folder, memory, trained, 10_000, 0.1 * steps, first, steps, "a CPU");
    }

    private RunResult result(int steps) {
        return new RunResult(
                folder,
                steps,
                Map.of(),
                Map.of(),
                steps,
                0,
                steps,
                0,
                Map.of(
                        MemoryCategory.WEIGHTS,
                        1000L,
                        MemoryCategory.OPTIMIZER_STATE,
                        3000L,
                        MemoryCategory.WORKSPACE,
                        0L),
                OptionalLong.of(123_456_789));
    }
}
