package io.gradus.cli;

import io.gradus.cli.print.MemoryTable;
import io.gradus.cli.print.Paragraph;
import io.gradus.cli.print.Quantities;
import io.gradus.cli.print.ScoreTables;
import io.gradus.cli.print.TextTable;
import io.gradus.cli.report.RunReport;
import io.gradus.core.MemoryCategory;
import io.gradus.optim.Schedule;
import io.gradus.parallel.CommunicationTime;
import io.gradus.train.RunResult;
import io.gradus.train.TrainingListener;
import io.gradus.train.memory.Bytes;
import io.gradus.train.recipe.Recipe;
import java.io.PrintStream;
import java.io.PrintWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.function.LongSupplier;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/** Prints the progress of a run: a status line on a terminal, plain lines otherwise. */
public final class ConsoleProgress implements TrainingListener, AutoCloseable {
    /** The first steps do not count toward the estimate of the time left, because the JVM is still compiling. */
    private static final int WARM_UP = 3;

    /** The steps whose mean loss the status line shows. */
    private static final int SHOWN_STEPS = 20;

    private static final int LABEL = 11;
    private static final int RESULT_LABEL = 12;
    private static final int BARS = 40;
    private static final long STAGE_LINE_NANOS = 10_000_000_000L;

    private final Terminal terminal;
    private final PrintWriter out;
    private final LongSupplier clock;
    private final RecentSteps latest = new RecentSteps(SHOWN_STEPS);
    private final RecentSteps sinceLine = new RecentSteps(Integer.MAX_VALUE);
    private final Map<String, Double> first = new HashMap<>();
    private final Set<String> stages = new HashSet<>();
    private @Nullable Plan plan;
    private int stepsSeen;
    private CommunicationTime communication = CommunicationTime.NONE;
    private long start;
    private long lastLine;

    ConsoleProgress(Terminal terminal) {
        this(terminal, System::nanoTime);
    }

    ConsoleProgress(Terminal terminal, LongSupplier clock) {
        this.terminal = terminal;
        this.out = terminal.out();
        this.clock = clock;
    }

    /** Returns a listener that prints plain lines. */
    public static ConsoleProgress plain(PrintStream out) {
        return new ConsoleProgress(Terminal.plain(new PrintWriter(out, true, out.charset())));
    }

    // ---- before the first step ----

    @Override
    public void started(Plan plan) {
        terminal.status().clear();
        this.plan = plan;
        this.start = clock.getAsLong();
        Path model = plan.recipe().model().path();
        line(
                "model",
                (model == null ? "built-in byte-level Llama" : model) + ", "
                        + Quantities.grouped(plan.memory().parameters()) + " parameters, "
                        + (plan.trainsAll() ? "all" : Quantities.grouped(plan.trained()) + " of them") + " trained");
        List<Path> texts = plan.recipe().data().trained();
        String text = texts.stream().map(Path::toString).collect(Collectors.joining(" and "));
        line(
                "text",
                (texts.isEmpty() ? "built-in Java sources" : text) + ", " + Quantities.grouped(plan.trainingTokens())
                        + (isClassifier(plan) ? " tokens in examples of at most " : " tokens in blocks of ")
                        + plan.memory().blockLength());
        line("device", plan.device());
        line("rate", sparkline(plan));
        line("output", plan.output().toString());
        if (plan.firstStep() > 0) {
            line("resuming", "after step " + plan.firstStep() + " of " + plan.steps());
        }
        out.println();
        MemoryTable.lines(plan.memory(), terminal.width()).forEach(out::println);
        out.println();
        out.flush();
    }

    private static boolean isClassifier(Plan plan) {
        return plan.recipe().task().readsExamples();
    }

    private void line(String label, String text) {
        terminal.print(label, LABEL, text);
    }

    /** Draws the learning rate over the run as a sparkline. */
    private String sparkline(Plan plan) {
        Recipe recipe = plan.recipe();
        Schedule schedule = recipe.schedule(plan.steps());
        String name = recipe.schedule().name().toLowerCase(Locale.ROOT).replace('_', ' ');
        String words = String.format(Locale.ROOT, "%s, peak %.1e", name, recipe.learningRate());
        int bars =
                Math.clamp(Math.min(plan.steps(), BARS), 1, Math.max(1, terminal.width() - LABEL - words.length() - 2));
        StringBuilder line = new StringBuilder();
        for (int i = 0; i < bars; i++) {
            double factor = schedule.factor((long) i * plan.steps() / bars);
            line.append("▁▂▃▄▅▆▇█".charAt(Math.clamp(Math.round(7 * factor), 0, 7)));
        }
        return line + "  " + words;
    }

    /**
     * Shows what the run does while it does not train. As lines, each stage is printed once, and every ten seconds of a long
     * one.
     */
    @Override
    public void progressed(Progress progress) {
        terminal.status().show(progress);
        if (!terminal.printsProgress()) {
            return;
        }
        long now = clock.getAsLong();
        if (stages.add(progress.stage())) {
            out.println(progress.stage() + " …");
        } else if (progress.done() > 0 && now - lastLine >= STAGE_LINE_NANOS) {
            out.println(progress.stage() + " " + Quantities.grouped(progress.done()) + "/"
                    + Quantities.grouped(progress.total()));
        } else {
            return;
        }
        lastLine = now;
        out.flush();
    }

    // ---- training ----

    @Override
    public void stepped(Step step) {
        stepsSeen++;
        communication = communication.plus(step.communication());
        latest.add(step);
        sinceLine.add(step);
        Plan known = plan;
        if (known == null) {
            return;
        }
        terminal.status().show(step.step(), known.steps(), fields(known, step, latest, 3));
        boolean due = step.step() == 1 || step.step() == known.steps() || step.step() % every(known) == 0;
        if (due && terminal.printsProgress()) {
            String start = "step " + step.step() + "/" + known.steps();
            out.println(Paragraph.fitting(start, fields(known, step, sinceLine, 4), terminal.width()));
            out.flush();
            sinceLine.clear();
            lastLine = clock.getAsLong();
        }
    }

    private List<String> fields(Plan known, Step step, RecentSteps steps, int decimals) {
        return List.of(
                steps.loss(decimals),
                left(known, step, steps) + " left",
                Quantities.grouped(Math.round(steps.tokensPerSecond())) + " "
                        + known.recipe().task().target() + "s/s",
                String.format(Locale.ROOT, "lr %.2e", step.learningRate()));
    }

    private String left(Plan known, Step step, RecentSteps steps) {
        return stepsSeen <= WARM_UP ? "…" : Quantities.duration((known.steps() - step.step()) * steps.secondsPerStep());
    }

    /** Returns the number of steps between two lines; a run prints about twenty lines. */
    private static int every(Plan plan) {
        return Math.max(1, plan.steps() / 20);
    }

    @Override
    public void skipped(Skipped skipped) {
        print("step " + skipped.step() + "  skipped: " + skipped.reason());
    }

    /** Reports that the run was asked to stop. Another thread calls this. */
    void stopping() {
        if (terminal.shown() && !terminal.status().isVisible()) {
            out.println(); // after the ^C that the terminal printed
        }
        print("stopping after this step and saving a checkpoint …");
    }

    @Override
    public void evaluated(Evaluation evaluation) {
        if (evaluation.step() == 0) {
            first.put(evaluation.name(), evaluation.loss());
        }
        print(String.format(
                Locale.ROOT,
                "step %d  %s loss %.4f%s%s",
                evaluation.step(),
                title(evaluation.name()),
                evaluation.loss(),
                ScoreTables.line(evaluation.scores()),
                forgotten(evaluation)));
    }

    /** Returns how much the loss on general text has changed since the start of the run. */
    private String forgotten(Evaluation evaluation) {
        Double before = first.get(evaluation.name());
        return before == null || evaluation.step() == 0 || !evaluation.name().equals("general")
                ? ""
                : String.format(Locale.ROOT, "  %+.4f since the start", evaluation.loss() - before);
    }

    @Override
    public void sampled(Sample sample) {
        terminal.status().clear();
        out.println();
        out.println(sample.step() == 0 ? "── before ──" : "── after " + sample.step() + " steps ──");
        out.println(sample.prompt() + "│" + sample.text());
        out.println();
        out.flush();
    }

    private void print(String line) {
        terminal.status().clear();
        terminal.print(line);
        out.flush();
    }

    // ---- the end ----

    @Override
    public void finished(RunResult result) {
        terminal.status().clear();
        losses(result);
        result.scores()
                .forEach((name, scores) -> ScoreTables.of(scores).forEach(table -> {
                    out.println();
                    table.lines(terminal.width()).forEach(out::println);
                }));
        best(result);
        out.println();
        long peak =
                result.peakBytes().values().stream().mapToLong(Long::longValue).sum();
        result("peak memory", Bytes.format(peak) + planned() + ": " + categories(result.peakBytes()));
        result.processBytes()
                .ifPresent(bytes -> result("process", Bytes.format(bytes) + " at its peak" + plannedProcess()));
        result("time", Quantities.duration((clock.getAsLong() - start) / 1e9));
        if (communication.seconds() > 0) {
            result(
                    "exchange",
                    String.format(
                            Locale.ROOT,
                            "%s with other processes in the steps, %.0f%% of it while computing",
                            Quantities.duration(communication.seconds()),
                            100 * communication.hidden()));
        }
        result("saved", result.output().toString());
        result("report", result.output().resolve(RunReport.FILE).toString());
        out.flush();
    }

    private void losses(RunResult result) {
        List<List<String>> rows = new ArrayList<>();
        rows.add(List.of("loss", "before", "after", "change"));
        result.after().forEach((name, after) -> {
            double before = result.before().getOrDefault(name, Double.NaN);
            rows.add(List.of(
                    title(name),
                    String.format(Locale.ROOT, "%.4f", before),
                    String.format(Locale.ROOT, "%.4f", after),
                    String.format(Locale.ROOT, "%+.1f%%", 100 * (after - before) / before)));
        });
        new TextTable(rows).lines(terminal.width()).forEach(out::println);
    }

    private void result(String label, String text) {
        terminal.print(label, RESULT_LABEL, text);
    }

    private void best(RunResult result) {
        if (result.savedStep() < result.steps()) {
            print(String.format(
                    Locale.ROOT,
                    "saved the weights %s, which have the %s, %.4f",
                    result.savedStep() == 0 ? "from before the first step" : "of step " + result.savedStep(),
                    best(),
                    result.bestLoss()));
        } else if (result.bestStep() < result.steps()) {
            print(String.format(
                    Locale.ROOT,
                    "the %s was %.4f, %s; load_best_model_at_end=true would have kept those" + " weights",
                    best(),
                    result.bestLoss(),
                    result.bestStep() == 0 ? "before the first step" : "at step " + result.bestStep()));
        }
        if (result.skipped() > 0) {
            print(Quantities.counted(result.skipped(), "step") + " skipped");
        }
    }

    /** By what the best weights were chosen. */
    private String best() {
        String metric = plan == null ? null : plan.recipe().guards().metricForBestModel();
        return metric == null || metric.equals("loss") ? "lowest held-out loss" : "best held-out " + metric;
    }

    private String planned() {
        return plan == null ? "" : " (planned " + Bytes.format(plan.memory().peakBytes()) + ")";
    }

    private String plannedProcess() {
        return plan == null || plan.memory().process().bytes() == 0
                ? ", with the JVM and its heap"
                : " (planned " + Bytes.format(plan.memory().processBytes()) + "): tensors, the JVM and its heap";
    }

    private static String categories(Map<MemoryCategory, Long> bytes) {
        List<String> parts = new ArrayList<>();
        for (MemoryCategory category : MemoryCategory.values()) {
            long share = bytes.getOrDefault(category, 0L);
            if (share > 0) {
                parts.add(Bytes.format(share) + " "
                        + category.name().toLowerCase(Locale.ROOT).replace('_', ' '));
            }
        }
        return String.join(", ", parts);
    }

    private static String title(String name) {
        return switch (name) {
            case "held_out" -> "held-out text";
            case "general" -> "general text";
            default -> name;
        };
    }

    @Override
    public void failed(Exception reason) {
        terminal.status().clear();
        Plan known = plan;
        if (known != null && Files.exists(known.output().resolve(RunReport.FILE))) {
            result("report", known.output().resolve(RunReport.FILE).toString());
            out.flush();
        }
    }

    @Override
    public void close() {
        terminal.status().clear();
    }
}
