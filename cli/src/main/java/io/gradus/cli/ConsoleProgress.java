package io.gradus.cli;

import io.gradus.cli.print.MemoryTable;
import io.gradus.cli.print.Quantities;
import io.gradus.core.MemoryCategory;
import io.gradus.optim.Schedule;
import io.gradus.train.RunResult;
import io.gradus.train.TrainingListener;
import io.gradus.train.memory.Bytes;
import io.gradus.train.recipe.Recipe;
import java.io.PrintStream;
import java.io.PrintWriter;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.stream.Collectors;
import me.tongfei.progressbar.ConsoleProgressBarConsumer;
import me.tongfei.progressbar.ProgressBar;
import me.tongfei.progressbar.ProgressBarBuilder;
import org.jspecify.annotations.Nullable;

/** Prints the progress of a run: a progress bar on a terminal, plain lines otherwise. */
public final class ConsoleProgress implements TrainingListener, AutoCloseable {
    private static final double SMOOTHING = 0.9;
    /** The first steps do not count toward the estimate of the time left, because the JVM is still compiling. */
    private static final int WARM_UP = 3;

    private static final int SHORTEST_BAR = 11;
    private static final int BARS = 40;

    private final Terminal terminal;
    private final PrintWriter out;
    private @Nullable ProgressBar bar;
    private @Nullable Plan plan;
    private volatile List<String> latest = List.of(); // the progress bar's thread reads this
    private final Map<String, Double> first = new HashMap<>();
    private double smoothedSeconds;
    private double smoothedLoss;
    private int stepsSeen;
    private long start;

    ConsoleProgress(Terminal terminal) {
        this.terminal = terminal;
        this.out = terminal.out();
    }

    /** Returns a listener that prints plain lines. */
    public static ConsoleProgress plain(PrintStream out) {
        PrintWriter writer = new PrintWriter(out, true, out.charset());
        return new ConsoleProgress(new Terminal(writer, false, 80));
    }

    @Override
    public void started(Plan plan) {
        this.plan = plan;
        this.start = System.nanoTime();
        Path model = plan.recipe().model().path();
        out.println("model      " + (model == null ? "built-in byte-level Llama" : model) + ", "
                + Quantities.grouped(plan.memory().parameters()) + " parameters, "
                + (plan.trainsAll() ? "all" : Quantities.grouped(plan.trained()) + " of them") + " trained");
        List<Path> texts = plan.recipe().data().trained();
        String text = texts.stream().map(Path::toString).collect(Collectors.joining(" and "));
        out.println("text       " + (texts.isEmpty() ? "built-in Java sources" : text) + ", "
                + Quantities.grouped(plan.trainingTokens()) + " tokens in blocks of "
                + plan.memory().blockLength());
        out.println("device     " + plan.device());
        out.println("rate       " + sparkline(plan));
        out.println("output     " + plan.output());
        if (plan.firstStep() > 0) {
            out.println("resuming   after step " + plan.firstStep() + " of " + plan.steps());
        }
        out.println();
        MemoryTable.lines(plan.memory(), terminal.width()).forEach(out::println);
        out.println();
        out.flush();
    }

    /** Draws the learning rate over the run as a sparkline. */
    private static String sparkline(Plan plan) {
        Recipe recipe = plan.recipe();
        Schedule schedule = recipe.schedule(plan.steps());
        int bars = Math.min(plan.steps(), BARS);
        StringBuilder line = new StringBuilder();
        for (int i = 0; i < bars; i++) {
            double factor = schedule.factor((long) i * plan.steps() / bars);
            line.append("▁▂▃▄▅▆▇█".charAt(Math.clamp(Math.round(7 * factor), 0, 7)));
        }
        String name = recipe.schedule().name().toLowerCase(Locale.ROOT).replace('_', ' ');
        return line + String.format(Locale.ROOT, "  %s, peak %.1e", name, recipe.learningRate());
    }

    @Override
    public void stepped(Step step) {
        stepsSeen++;
        boolean settled = stepsSeen > WARM_UP;
        smoothedLoss = stepsSeen == 1 ? step.loss() : mix(smoothedLoss, step.loss());
        smoothedSeconds = settled && stepsSeen > WARM_UP + 1 ? mix(smoothedSeconds, step.seconds()) : step.seconds();
        Plan known = plan;
        if (known == null) {
            return;
        }
        if (terminal.interactive()) {
            show(known, step);
        } else if (step.step() == 1 || step.step() == known.steps() || step.step() % every(known) == 0) {
            out.printf(
                    Locale.ROOT,
                    "step %d/%d  loss %.4f  lr %.2e  %s tokens/s  %s left%n",
                    step.step(),
                    known.steps(),
                    smoothedLoss,
                    step.learningRate(),
                    Quantities.grouped(Math.round(step.tokens() / smoothedSeconds)),
                    left(known, step));
            out.flush();
        }
    }

    /** Returns the number of steps between two lines; a run prints about twenty lines. */
    private static int every(Plan plan) {
        return Math.max(1, plan.steps() / 20);
    }

    private void show(Plan known, Step step) {
        latest = List.of(
                String.format(Locale.ROOT, "loss %.3f", smoothedLoss),
                left(known, step) + " left",
                Quantities.grouped(Math.round(step.tokens() / smoothedSeconds)) + " tokens/s",
                String.format(Locale.ROOT, "lr %.1e", step.learningRate()));
        ProgressBar shown = bar;
        if (shown == null) {
            shown = new ProgressBarBuilder()
                    .setInitialMax(known.steps())
                    .startsFrom(step.step() - 1L, Duration.ZERO)
                    .setConsumer(new ConsoleProgressBarConsumer(System.err, terminal.width() - 1))
                    .setRenderer((state, width) -> line(state.getCurrent(), state.getMax(), latest, width))
                    .setUpdateIntervalMillis(200)
                    .clearDisplayOnFinish() // so that other lines replace the bar and it is redrawn below them
                    .build();
            bar = shown;
        }
        shown.stepTo(step.step());
    }

    /** Returns a bar followed by as many fields as fit. A longer line would wrap and could not be redrawn. */
    static String line(long done, long steps, List<String> fields, int width) {
        StringBuilder text = new StringBuilder(done + "/" + steps);
        for (String field : fields) {
            if (text.length() + 2 + field.length() > width - SHORTEST_BAR) {
                break;
            }
            text.append("  ").append(field);
        }
        int cells = Math.max(0, width - text.length() - 1);
        int filled = (int) (cells * done / Math.max(1, steps));
        return "━".repeat(filled) + "─".repeat(cells - filled) + " " + text;
    }

    @Override
    public void skipped(Skipped skipped) {
        closeBar();
        out.println("step " + skipped.step() + "  skipped: " + skipped.reason());
        out.flush();
    }

    /** Reports that the run was asked to stop. Another thread calls this. */
    void stopping() {
        out.println("stopping after this step and saving a checkpoint …");
        out.flush();
    }

    @Override
    public void evaluated(Evaluation evaluation) {
        if (evaluation.step() == 0) {
            first.put(evaluation.name(), evaluation.loss());
        }
        if (evaluation.step() == 0 || (plan != null && evaluation.step() == plan.firstStep())) {
            return; // the final table shows this loss next to the loss after training
        }
        closeBar();
        out.printf(
                Locale.ROOT,
                "step %d  %s loss %.4f%s%n",
                evaluation.step(),
                title(evaluation.name()),
                evaluation.loss(),
                forgotten(evaluation));
        out.flush();
    }

    /** Returns how much the loss on general text has changed since the start of the run. */
    private String forgotten(Evaluation evaluation) {
        Double before = first.get(evaluation.name());
        return before == null || !evaluation.name().equals("general")
                ? ""
                : String.format(Locale.ROOT, "  %+.4f since the start", evaluation.loss() - before);
    }

    @Override
    public void sampled(Sample sample) {
        closeBar();
        if (sample.step() > 0) {
            out.println();
        }
        out.println(sample.step() == 0 ? "── before ──" : "── after " + sample.step() + " steps ──");
        out.println(sample.prompt() + "│" + sample.text());
        out.println();
        out.flush();
    }

    @Override
    public void finished(RunResult result) {
        closeBar();
        out.println("loss                before     after    change");
        result.after().forEach((name, after) -> {
            double before = result.before().getOrDefault(name, Double.NaN);
            out.printf(
                    Locale.ROOT,
                    "%-18s %7.4f   %7.4f   %+6.1f%%%n",
                    title(name),
                    before,
                    after,
                    100 * (after - before) / before);
        });
        best(result);
        out.println();
        out.println("peak memory "
                + Bytes.format(result.peakBytes().values().stream()
                        .mapToLong(Long::longValue)
                        .sum()) + planned() + ": " + categories(result.peakBytes()));
        out.println("time        " + Quantities.duration((System.nanoTime() - start) / 1e9));
        out.println("saved       " + result.output());
        out.println("report      " + result.output().resolve("report.html"));
        out.flush();
    }

    private void best(RunResult result) {
        if (result.savedStep() < result.steps()) {
            out.printf(
                    Locale.ROOT,
                    "saved the weights %s, which have the lowest held-out loss, %.4f%n",
                    result.savedStep() == 0 ? "from before the first step" : "of step " + result.savedStep(),
                    result.bestLoss());
        } else if (result.bestStep() < result.steps()) {
            out.printf(
                    Locale.ROOT,
                    "the lowest held-out loss was %.4f, %s; load_best_model_at_end=true would have kept those"
                            + " weights%n",
                    result.bestLoss(),
                    result.bestStep() == 0 ? "before the first step" : "at step " + result.bestStep());
        }
        if (result.skipped() > 0) {
            out.println(Quantities.counted(result.skipped(), "step") + " skipped");
        }
    }

    private String planned() {
        return plan == null ? "" : " (planned " + Bytes.format(plan.memory().peakBytes()) + ")";
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

    private String left(Plan known, Step step) {
        return stepsSeen <= WARM_UP ? "…" : Quantities.duration((known.steps() - step.step()) * smoothedSeconds);
    }

    private static double mix(double before, double now) {
        return SMOOTHING * before + (1 - SMOOTHING) * now;
    }

    private void closeBar() {
        if (bar != null) {
            bar.close();
            bar = null;
        }
    }

    @Override
    public void close() {
        closeBar();
    }
}
