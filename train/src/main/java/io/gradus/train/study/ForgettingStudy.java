package io.gradus.train.study;

import io.gradus.core.Device;
import io.gradus.core.safetensors.AtomicFile;
import io.gradus.data.tokenizer.Tokenizer;
import io.gradus.nn.model.LanguageModel;
import io.gradus.nn.model.ModelFolder;
import io.gradus.train.FineTuning;
import io.gradus.train.RunResult;
import io.gradus.train.checkpoint.OutputFolder;
import io.gradus.train.memory.Variant;
import io.gradus.train.recipe.Recipe;
import io.gradus.train.recipe.RecipeException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.function.Consumer;
import java.util.function.Function;

/**
 * Measures what fine-tuning makes a model forget, and what each countermeasure costs. General text is sampled from the model first.
 * Then the same run is made without and with each countermeasure. Each run is evaluated before and after, on held-out text of
 * the task and on the general text.
 *
 * <p>The study's folder has the sampled text, the common {@code recipe.yaml}, and a folder for each run.
 */
public final class ForgettingStudy {
    private static final String TASK = "held_out";
    private static final String GENERAL = "general";
    /** More is sampled than used, because blocks must be full and decoded text may have fewer tokens. */
    private static final double SPARE = 1.2;

    private static final int STEPS_TO_THE_LIMITS = 10;
    private static final double LARGEST_SHARE = 0.1;

    private final StudyRuns runs;
    private final ModelFolder base;
    private final List<Variant> variants;
    private final Consumer<String> news;

    private ForgettingStudy(StudyRuns runs, ModelFolder base, List<Variant> variants, Consumer<String> news) {
        this.runs = runs;
        this.base = base;
        this.variants = variants;
        this.news = news;
    }

    /** Result of one run: losses in nats per token, on held-out text of the task and on general text. */
    public record Row(Variant variant, double taskBefore, double generalBefore, double task, double general) {

        /** The increase of the loss on general text. */
        public double forgotten() {
            return general - generalBefore;
        }

        /** The decrease of the loss on the task. */
        public double learned() {
            return taskBefore - task;
        }
    }

    /**
     * L2-SP with extreme strengths, after a few steps.
     *
     * @param steps of each run
     * @param zeroIsPlain whether λ = 0 wrote the same bytes as plain training
     * @param largestMove the largest change of any weight with λ = 10³⁰
     */
    public record Limits(int steps, boolean zeroIsPlain, double largestMove) {}

    /**
     * Result of the study.
     *
     * @param rows in the order of the runs; plain fine-tuning is first
     */
    public record Outcome(List<Row> rows, Limits limits) {}

    /**
     * Runs the study.
     *
     * @param recipe of the plain run, without general text and without countermeasures
     * @param folder a new folder
     * @param runs starts the run of a recipe, such as {@code FineTuning::builder}
     * @param news receives a line on what is done next
     * @param finished receives all rows so far after every run, in case a later one fails
     * @throws IOException if a file is missing or cannot be written
     * @throws RecipeException if the recipe does not fit the model or the study
     */
    public static Outcome run(
            Recipe recipe,
            Path folder,
            Function<Recipe, FineTuning.Builder> runs,
            Consumer<String> news,
            Consumer<List<Row>> finished)
            throws IOException {
        try (OutputFolder _ = OutputFolder.open(folder)) {
            return prepare(recipe, folder, runs, news, List.of()).run(finished);
        }
    }

    /** Prepares the study with some variants, for a test; with all of them if none is named. */
    static ForgettingStudy prepare(
            Recipe recipe,
            Path folder,
            Function<Recipe, FineTuning.Builder> runs,
            Consumer<String> news,
            List<String> names)
            throws IOException {
        requirePlain(recipe);
        ModelFolder base = runs.apply(recipe).build().model();
        Path evaluated = folder.resolve("general.jsonl");
        Path known = folder.resolve("known.jsonl");
        Recipe common = recipe.with("data.general=" + evaluated);
        List<Variant> variants = ForgettingVariants.of(recipe, base.config(), known).stream()
                .filter(variant -> names.isEmpty() || names.contains(variant.name()))
                .toList();
        variants.forEach(variant -> variant.of(common)); // rejects a variant before the first run
        StudyRuns study = StudyRuns.begin(common, folder, runs);
        AtomicFile.write(folder.resolve(StudyRuns.RECIPE), study.recipe().toYaml());
        ForgettingStudy prepared = new ForgettingStudy(study, base, variants, news);
        prepared.sample(evaluated, known);
        return prepared;
    }

    /** Rejects countermeasures and general text in the recipe. */
    private static void requirePlain(Recipe recipe) {
        Recipe.Forgetting held = recipe.forgetting();
        Map<String, Boolean> named = Map.ofEntries(
                Map.entry("data.general", recipe.data().general() != null),
                Map.entry("data.replay_ratio", recipe.data().replayRatio() > 0),
                Map.entry("layer_decay", recipe.layerDecay() < 1),
                Map.entry("gradual_unfreeze_steps", recipe.gradualUnfreezeSteps() != null),
                Map.entry("freeze", !held.freeze().isEmpty()),
                Map.entry("l2_sp", held.l2Sp() > 0),
                Map.entry("ewc", held.ewc() > 0),
                Map.entry("ema_decay", held.emaDecay() != null),
                Map.entry("wise_ft_alpha", held.wiseFtAlpha() < 1));
        List<String> unfit = named.keySet().stream().filter(named::get).sorted().toList();
        if (!unfit.isEmpty()) {
            throw new RecipeException("the study samples general text and adds countermeasures itself; leave out "
                    + String.join(", ", unfit));
        }
    }

    private void sample(Path evaluated, Path known) throws IOException {
        Recipe recipe = runs.recipe();
        LanguageModel model = base.load(Device.cpu());
        int block = recipe.data().blockLength(model.contextLength());
        SampledText text = new SampledText(model, Tokenizer.load(base.path()), recipe.seed());
        double rows = (double) Objects.requireNonNull(recipe.steps())
                * recipe.batchSize()
                * recipe.gradientAccumulationSteps();
        double learned = Math.max(LARGEST_SHARE * rows, recipe.forgetting().ewcSamples());
        news.accept("sampling general text from the model");
        text.write(evaluated, (long) (SPARE * block * recipe.evaluatedBlocks()) + block);
        text.write(known, (long) (SPARE * block * learned) + block);
    }

    Outcome run(Consumer<List<Row>> finished) throws IOException {
        List<Row> rows = new ArrayList<>();
        for (Variant variant : variants) {
            news.accept((rows.size() + 1) + "/" + variants.size() + " " + variant.name() + "   "
                    + String.join(" ", variant.overrides()));
            rows.add(row(variant, runs.run(variant)));
            finished.accept(List.copyOf(rows));
        }
        return new Outcome(rows, limits());
    }

    private static Row row(Variant variant, RunResult result) {
        return new Row(
                variant,
                loss(result.before(), TASK),
                loss(result.before(), GENERAL),
                loss(result.after(), TASK),
                loss(result.after(), GENERAL));
    }

    private static double loss(Map<String, Double> losses, String name) {
        return Objects.requireNonNull(losses.get(name), name);
    }

    // ---- extreme strengths ----

    private Limits limits() throws IOException {
        int steps = Math.min(
                STEPS_TO_THE_LIMITS, Objects.requireNonNull(runs.recipe().steps()));
        news.accept("L2-SP with λ = 0 and 1e30, " + steps + " steps each");
        StudyRuns few = new StudyRuns(runs.recipe(), runs.folder().resolve("limits"), runs.runs())
                .with("steps=" + steps, "max_eval_blocks=1", "warmup_ratio=0");
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
