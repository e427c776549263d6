package io.gradus.train.study;

import io.gradus.core.safetensors.AtomicFile;
import io.gradus.train.BuiltIn;
import io.gradus.train.FineTuning.Result;
import io.gradus.train.ModelFolder;
import io.gradus.train.Recipe;
import io.gradus.train.TrainingListener;
import io.gradus.train.memory.Comparison;
import io.gradus.train.memory.MemoryPlan;
import io.gradus.train.memory.TextTable;
import io.gradus.train.memory.Variant;
import io.gradus.train.report.Quantities;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Objects;
import java.util.function.Consumer;
import java.util.stream.Stream;

/**
 * What each way to save memory saves, and what it costs in time and in loss. The same run is made on each rung of a ladder;
 * beside the peak that was measured stands the one that was planned.
 *
 * <p>Its folder gets {@code memory.md}, {@code memory.svg}, {@code recipe.yaml} that all runs have in common, and a folder
 * for each run.
 */
public final class MemoryStudy {
    private static final int STEPS_TO_WARM_UP = 10;

    private MemoryStudy() {}

    /**
     * What came of one run.
     *
     * @param plan made before it
     * @param measured the most bytes in use at once
     * @param tokensPerSecond the median over the steps, evaluations left out
     * @param before held-out loss before the first step
     * @param loss held-out loss after the last
     */
    public record Row(
            Variant variant, MemoryPlan plan, long measured, double tokensPerSecond, double before, double loss) {

        /** By what part of the measured peak the planned one is off. */
        public double error() {
            return (double) (plan.peakBytes() - measured) / measured;
        }
    }

    /**
     * The whole study.
     *
     * @param rows in the order of the runs
     * @param commands that make each run alone
     */
    public record Outcome(List<Row> rows, List<String> commands) {

        /** For a terminal. */
        public List<String> lines(int width) {
            return table().lines(width);
        }

        private TextTable table() {
            List<List<String>> cells = new ArrayList<>();
            cells.add(List.of("peak memory", "planned", "measured", "off by", "tokens/s", "loss"));
            for (Row row : rows) {
                cells.add(List.of(
                        row.variant.name(),
                        megabytes(row.plan.peakBytes()),
                        megabytes(row.measured),
                        String.format(Locale.ROOT, "%.1f%%", 100 * Math.abs(row.error())),
                        Quantities.grouped(Math.round(row.tokensPerSecond)),
                        String.format(Locale.ROOT, "%.3f", row.loss)));
            }
            return new TextTable(cells);
        }

        /** With three digits, where {@link Quantities#bytes} has two: neighbours on the ladder differ by little. */
        private static String megabytes(long bytes) {
            double value = bytes / 1e6;
            return String.format(Locale.ROOT, value < 10 ? "%.2f MB" : value < 100 ? "%.1f MB" : "%,.0f MB", value);
        }

        String markdown() {
            List<String> lines = new ArrayList<>(table().markdown());
            lines.add("");
            lines.add("Each run alone:");
            lines.add("");
            lines.add("```sh");
            lines.addAll(commands);
            lines.add("```");
            return String.join("\n", lines) + "\n";
        }

        String svg() {
            List<Comparison.Row> bars = rows.stream()
                    .map(row -> new Comparison.Row(row.variant.name(), row.plan))
                    .toList();
            return Comparison.svg("Memory at the peak, planned", bars);
        }
    }

    /**
     * The rungs: each of the first five saves in one way more than the one before; the last three change the optimiser of the
     * fifth. The rates of the other methods are their own: Adafactor's is relative to the size of the weights, and a step
     * of SGD is as small as the gradient is.
     */
    static List<Variant> rungs() {
        List<String> keys = new ArrayList<>();
        List<Variant> rungs = new ArrayList<>();
        rungs.add(new Variant("AdamW, F32", List.of("optimizer=adamw", "precision=f32")));
        keys.add("precision=bf16");
        rungs.add(new Variant("mixed precision, BF16", List.copyOf(keys)));
        keys.add("activation_checkpointing=true");
        rungs.add(new Variant("+ checkpointing", List.copyOf(keys)));
        keys.add("loss_chunk=64");
        rungs.add(new Variant("+ loss in chunks", List.copyOf(keys)));
        keys.addAll(List.of("step_in_backward=true", "max_grad_norm=Infinity"));
        rungs.add(new Variant("+ step in backward", List.copyOf(keys)));
        rungs.add(new Variant("… with 8-bit AdamW", and(keys, "optimizer=adamw8bit")));
        rungs.add(new Variant("… with Adafactor", and(keys, "optimizer=adafactor", "learning_rate=0.01")));
        rungs.add(new Variant("… with SGD", and(keys, "optimizer=sgd", "momentum=0", "learning_rate=0.05")));
        return rungs;
    }

    private static List<String> and(List<String> keys, String... more) {
        return Stream.concat(keys.stream(), Stream.of(more)).toList();
    }

    /**
     * Trains on every rung, and writes the results.
     *
     * @param recipe of the first rung, but for its own savings, its optimiser and its accumulation of gradients: the rungs
     *     have theirs
     * @param folder a new one
     * @param news is told what is being done, a line each time
     * @throws IOException when a file is missing or cannot be written
     * @throws io.gradus.train.RecipeException when the recipe does not fit the model or the study
     */
    public static Outcome run(Recipe recipe, Path folder, Consumer<String> news) throws IOException {
        return run(recipe, folder, news, rungs());
    }

    static Outcome run(Recipe recipe, Path folder, Consumer<String> news, List<Variant> rungs) throws IOException {
        Path path = recipe.model().path();
        ModelFolder base = path == null ? BuiltIn.model() : ModelFolder.open(path);
        Recipe common = Recipe.parse(
                Comparison.withoutSavings(recipe).toYaml(),
                "optimizer=adamw",
                "nesterov=false",
                "gradient_accumulation=1");
        rungs.forEach(rung -> rung.of(common)); // what does not fit is said before hours have gone by
        Studied runs = Studied.begin(common, folder);
        AtomicFile.write(folder.resolve(Studied.RECIPE), runs.recipe().toYaml());
        warmUp(runs, news);
        List<Row> rows = new ArrayList<>();
        for (Variant rung : rungs) {
            news.accept((rows.size() + 1) + "/" + rungs.size() + " " + rung.name() + "   "
                    + String.join(" ", rung.overrides()));
            MemoryPlan plan = MemoryPlan.of(runs.of(rung), base.architecture(), false);
            Speed speed = new Speed();
            Result result = runs.run(rung, speed);
            rows.add(row(rung, plan, result, speed.tokensPerSecond()));
        }
        Outcome outcome = new Outcome(rows, rungs.stream().map(runs::command).toList());
        AtomicFile.write(folder.resolve("memory.md"), outcome.markdown());
        AtomicFile.write(folder.resolve("memory.svg"), outcome.svg());
        return outcome;
    }

    /** So that the first rung does not pay for what the JVM compiles. */
    private static void warmUp(Studied runs, Consumer<String> news) throws IOException {
        int steps =
                Math.min(STEPS_TO_WARM_UP, Objects.requireNonNull(runs.recipe().steps()));
        news.accept("warming up, " + steps + " steps");
        runs.with("steps=" + steps, "evaluate_blocks=1").run(new Variant("warm-up", List.of()));
    }

    private static Row row(Variant rung, MemoryPlan plan, Result result, double tokensPerSecond) {
        long measured =
                result.peakBytes().values().stream().mapToLong(Long::longValue).sum();
        return new Row(
                rung,
                plan,
                measured,
                tokensPerSecond,
                Objects.requireNonNull(result.before().get("held_out")),
                Objects.requireNonNull(result.after().get("held_out")));
    }

    /** Listens to how fast the steps are. */
    private static final class Speed implements TrainingListener {
        private final List<Double> speeds = new ArrayList<>();

        @Override
        public void stepped(Step step) {
            speeds.add(step.tokens() / step.seconds());
        }

        /** The median: a step that something else on the machine has held up counts as one. */
        double tokensPerSecond() {
            List<Double> sorted = speeds.stream().sorted().toList();
            return sorted.isEmpty() ? Double.NaN : sorted.get(sorted.size() / 2);
        }
    }
}
