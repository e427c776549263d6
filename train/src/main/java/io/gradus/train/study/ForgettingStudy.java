package io.gradus.train.study;

import io.gradus.core.Device;
import io.gradus.core.safetensors.AtomicFile;
import io.gradus.nn.model.LanguageModel;
import io.gradus.train.BuiltIn;
import io.gradus.train.FineTuning;
import io.gradus.train.FineTuning.Result;
import io.gradus.train.ModelFolder;
import io.gradus.train.Recipe;
import io.gradus.train.RecipeException;
import io.gradus.train.memory.TextTable;
import io.gradus.train.memory.Variant;
import io.gradus.train.report.ScatterChart;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Objects;
import java.util.function.Consumer;

/**
 * What fine-tuning makes a model forget, and what holding it back costs. General text is sampled from the model before any
 * run. Then the same run is made plainly and with each way to hold it back; before and after, the loss on held-out text of
 * the task and on the general text are taken.
 *
 * <p>Its folder gets {@code forgetting.md}, {@code forgetting.svg}, the sampled text, {@code recipe.yaml} that all runs have
 * in common, and a folder for each run with the model and its report.
 */
public final class ForgettingStudy {
    private static final String TASK = "held_out";
    private static final String GENERAL = "general";
    /** Sampled beyond what is used: text is read in whole blocks, and read again its tokens may be fewer. */
    private static final double SPARE = 1.2;

    private static final int STEPS_TO_THE_LIMITS = 10;
    private static final double LARGEST_SHARE = 0.1;

    private final Studied runs;
    private final ModelFolder base;
    private final List<Variant> variants;
    private final Consumer<String> news;

    private ForgettingStudy(Studied runs, ModelFolder base, List<Variant> variants, Consumer<String> news) {
        this.runs = runs;
        this.base = base;
        this.variants = variants;
        this.news = news;
    }

    /** What came of one run: losses in nats per token, on held-out text of the task and on general text. */
    public record Row(Variant variant, double taskBefore, double generalBefore, double task, double general) {

        /** By how much the loss on general text rose. */
        public double forgotten() {
            return general - generalBefore;
        }

        /** By how much the loss on the task's text fell. */
        public double learnt() {
            return taskBefore - task;
        }
    }

    /**
     * L2-SP at both ends, after a few steps.
     *
     * @param steps of each of the runs
     * @param zeroIsPlain whether λ = 0 wrote the same bytes as plain training
     * @param largestMove of any weight at λ = 10³⁰
     */
    public record Limits(int steps, boolean zeroIsPlain, double largestMove) {}

    /**
     * The whole study.
     *
     * @param rows in the order of the runs, the plain one first
     * @param commands that make each run alone
     */
    public record Outcome(List<Row> rows, Limits limits, List<String> commands) {

        /** For a terminal. */
        public List<String> lines(int width) {
            return table(rows).lines(width);
        }

        private static TextTable table(List<Row> rows) {
            Row plain = rows.getFirst();
            List<List<String>> cells = new ArrayList<>();
            cells.add(List.of("loss", "task", "general", "forgotten", "learnt %", "forgotten %"));
            cells.add(List.of("before", loss(plain.taskBefore), loss(plain.generalBefore), "", "", ""));
            for (Row row : rows) {
                cells.add(List.of(
                        row.variant.name(),
                        loss(row.task),
                        loss(row.general),
                        loss(row.forgotten()),
                        percent(row.learnt() / plain.learnt()),
                        percent(row.forgotten() / plain.forgotten())));
            }
            return new TextTable(cells);
        }

        /** What λ does at its ends, in two sentences. */
        public List<String> limitLines() {
            return List.of(
                    "λ = 0, " + limits.steps + " steps: "
                            + (limits.zeroIsPlain ? "the same bytes as plain" : "NOT the same bytes as plain"),
                    String.format(
                            Locale.ROOT,
                            "λ = 1e30, %d steps: the weight that moved most moved by %.1e",
                            limits.steps,
                            limits.largestMove));
        }

        private static String loss(double value) {
            return String.format(Locale.ROOT, "%.3f", value);
        }

        private static String percent(double part) {
            return Double.isFinite(part) ? String.format(Locale.ROOT, "%.0f", 100 * part) : "–";
        }

        String markdown() {
            List<String> lines = new ArrayList<>(table(rows).markdown());
            lines.add("");
            limitLines().forEach(line -> lines.add("- " + line));
            lines.add("");
            lines.add("Each run alone:");
            lines.add("");
            lines.add("```sh");
            lines.addAll(commands);
            lines.add("```");
            return String.join("\n", lines) + "\n";
        }

        String svg() {
            Row plain = rows.getFirst();
            List<ScatterChart.Point> points = new ArrayList<>();
            points.add(new ScatterChart.Point("before", plain.taskBefore, plain.generalBefore));
            rows.forEach(row -> points.add(new ScatterChart.Point(row.variant.name(), row.task, row.general)));
            return new ScatterChart(
                            "What was learnt, and what was forgotten",
                            "loss on the task (held out)",
                            "loss on general text",
                            points)
                    .svg();
        }
    }

    /**
     * Samples the general text, trains every variant, and writes the results.
     *
     * @param recipe of the plain run; names no general text and nothing that holds the model back, for both are the study's
     * @param folder a new one
     * @param news is told what is being done, a line each time
     * @throws IOException when a file is missing or cannot be written
     * @throws RecipeException when the recipe does not fit the model or the study
     */
    public static Outcome run(Recipe recipe, Path folder, Consumer<String> news) throws IOException {
        return prepare(recipe, folder, news, List.of()).run();
    }

    /** {@link #run} of some variants alone, in a test; of all of them when none is named. */
    static ForgettingStudy prepare(Recipe recipe, Path folder, Consumer<String> news, List<String> names)
            throws IOException {
        requirePlain(recipe);
        Path path = recipe.model().path();
        ModelFolder base = path == null ? BuiltIn.model() : ModelFolder.open(path);
        Path evaluated = folder.resolve("general.jsonl");
        Path known = folder.resolve("known.jsonl");
        Recipe common = Recipe.parse(recipe.toYaml(), "data.general=" + evaluated);
        List<Variant> variants = ForgettingVariants.of(recipe, base.architecture(), known).stream()
                .filter(variant -> names.isEmpty() || names.contains(variant.name()))
                .toList();
        variants.forEach(variant -> variant.of(common)); // what does not fit is said before hours have gone by
        Studied runs = Studied.begin(common, folder);
        AtomicFile.write(folder.resolve(Studied.RECIPE), runs.recipe().toYaml());
        ForgettingStudy study = new ForgettingStudy(runs, base, variants, news);
        study.sample(evaluated, known);
        return study;
    }

    /** Refuses what would hold the plain run back, or name general text that is not the model's own. */
    private static void requirePlain(Recipe recipe) {
        Recipe.Forgetting held = recipe.forgetting();
        Map<String, Boolean> named = Map.ofEntries(
                Map.entry("data.general", recipe.data().general() != null),
                Map.entry("data.mix", recipe.data().mix() > 0),
                Map.entry("layer_decay", recipe.layerDecay() < 1),
                Map.entry("unfreeze_every", recipe.unfreezeEvery() != null),
                Map.entry("freeze", !held.freeze().isEmpty()),
                Map.entry("l2_sp", held.l2Sp() > 0),
                Map.entry("ewc", held.ewc() > 0),
                Map.entry("ema", held.ema() != null),
                Map.entry("interpolate", held.interpolate() < 1));
        List<String> unfit = named.keySet().stream().filter(named::get).sorted().toList();
        if (!unfit.isEmpty()) {
            throw new RecipeException("the study samples general text and holds the model back itself, and compares"
                    + " with a plain run; leave out " + String.join(", ", unfit));
        }
    }

    private void sample(Path evaluated, Path known) throws IOException {
        Recipe recipe = runs.recipe();
        LanguageModel model = base.load(Device.cpu());
        int block = FineTuning.blockLength(recipe, model);
        SampledText text = new SampledText(model, base.tokenizer(), recipe.seed());
        double rows =
                (double) Objects.requireNonNull(recipe.steps()) * recipe.batchSize() * recipe.gradientAccumulation();
        double learnt = Math.max(LARGEST_SHARE * rows, recipe.forgetting().ewcSamples());
        news.accept("general text, sampled from the model");
        text.write(evaluated, (long) (SPARE * block * recipe.evaluateBlocks()) + block);
        text.write(known, (long) (SPARE * block * learnt) + block);
    }

    Outcome run() throws IOException {
        List<Row> rows = new ArrayList<>();
        for (Variant variant : variants) {
            news.accept((rows.size() + 1) + "/" + variants.size() + " " + variant.name() + "   "
                    + String.join(" ", variant.overrides()));
            rows.add(row(variant, runs.run(variant)));
            write(String.join("\n", Outcome.table(rows).markdown()) + "\n"); // should a later run fail
        }
        Outcome outcome =
                new Outcome(rows, limits(), variants.stream().map(runs::command).toList());
        write(outcome.markdown());
        AtomicFile.write(runs.folder().resolve("forgetting.svg"), outcome.svg());
        return outcome;
    }

    private void write(String markdown) throws IOException {
        AtomicFile.write(runs.folder().resolve("forgetting.md"), markdown);
    }

    private static Row row(Variant variant, Result result) {
        Map<String, Double> before = result.before();
        Map<String, Double> after = result.after();
        return new Row(variant, before.get(TASK), before.get(GENERAL), after.get(TASK), after.get(GENERAL));
    }

    // ---- λ at its ends ----

    private Limits limits() throws IOException {
        int steps = Math.min(
                STEPS_TO_THE_LIMITS, Objects.requireNonNull(runs.recipe().steps()));
        news.accept("λ at its ends, " + steps + " steps each");
        Studied few = new Studied(runs.recipe(), runs.folder().resolve("limits"))
                .with("steps=" + steps, "evaluate_blocks=1", "warmup=0");
        Path plain = few.run(new Variant("plain", List.of())).output();
        Path zero = few.run(new Variant("lambda 0", List.of("l2_sp=0"))).output();
        Path held = few.run(new Variant("lambda 1e30", List.of("l2_sp=1e30"))).output();
        String weights = "model.safetensors";
        boolean same = Files.mismatch(plain.resolve(weights), zero.resolve(weights)) < 0;
        return new Limits(steps, same, largestMove(new ModelFolder(held)));
    }

    private double largestMove(ModelFolder tuned) throws IOException {
        LanguageModel after = tuned.load(Device.cpu());
        LanguageModel before = base.load(Device.cpu());
        double largest = 0;
        for (String name : before.namedParameters().keySet()) {
            float[] a = Objects.requireNonNull(before.namedParameters().get(name))
                    .value()
                    .toFloats();
            float[] b = Objects.requireNonNull(after.namedParameters().get(name))
                    .value()
                    .toFloats();
            for (int i = 0; i < a.length; i++) {
                largest = Math.max(largest, Math.abs((double) a[i] - b[i]));
            }
        }
        return largest;
    }
}
