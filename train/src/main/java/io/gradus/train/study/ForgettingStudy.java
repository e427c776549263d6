package io.gradus.train.study;

import io.gradus.core.Device;
import io.gradus.core.safetensors.AtomicFile;
import io.gradus.data.tokenizer.Tokenizer;
import io.gradus.nn.model.LanguageModel;
import io.gradus.nn.model.ModelFolder;
import io.gradus.train.FineTuning;
import io.gradus.train.RunResult;
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
 * What fine-tuning makes a model forget, and what holding it back costs. General text is sampled from the model before any
 * run. Then the same run is made plainly and with each way to hold it back; before and after, the loss on held-out text of
 * the task and on the general text are taken.
 *
 * <p>Its folder gets the sampled text, the {@code recipe.yaml} that all runs have in common, and a folder for each run.
 */
public final class ForgettingStudy {
    private static final String TASK = "held_out";
    private static final String GENERAL = "general";
    /** Sampled beyond what is used: text is read in whole blocks, and read again its tokens may be fewer. */
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
     */
    public record Outcome(List<Row> rows, Limits limits) {}

    /**
     * Samples the general text, trains every variant, and writes the results.
     *
     * @param recipe of the plain run; names no general text and nothing that holds the model back, for both are the study's
     * @param folder a new one
     * @param runs starts the run of a recipe, such as {@code FineTuning::builder}
     * @param news receives a line on what is done next
     * @param finished receives all rows so far after every run, in case a later one fails
     * @throws IOException when a file is missing or cannot be written
     * @throws RecipeException when the recipe does not fit the model or the study
     */
    public static Outcome run(
            Recipe recipe,
            Path folder,
            Function<Recipe, FineTuning.Builder> runs,
            Consumer<String> news,
            Consumer<List<Row>> finished)
            throws IOException {
        return prepare(recipe, folder, runs, news, List.of()).run(finished);
    }

    /** {@link #run} of some variants alone, in a test; of all of them when none is named. */
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
        variants.forEach(variant -> variant.of(common)); // what does not fit is said before hours have gone by
        StudyRuns study = StudyRuns.begin(common, folder, runs);
        AtomicFile.write(folder.resolve(StudyRuns.RECIPE), study.recipe().toYaml());
        ForgettingStudy prepared = new ForgettingStudy(study, base, variants, news);
        prepared.sample(evaluated, known);
        return prepared;
    }

    /** Refuses what would hold the plain run back, or name general text that is not the model's own. */
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
            throw new RecipeException("the study samples general text and holds the model back itself, and compares"
                    + " with a plain run; leave out " + String.join(", ", unfit));
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
        double learnt = Math.max(LARGEST_SHARE * rows, recipe.forgetting().ewcSamples());
        news.accept("general text, sampled from the model");
        text.write(evaluated, (long) (SPARE * block * recipe.maxEvalBlocks()) + block);
        text.write(known, (long) (SPARE * block * learnt) + block);
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

    // ---- λ at its ends ----

    private Limits limits() throws IOException {
        int steps = Math.min(
                STEPS_TO_THE_LIMITS, Objects.requireNonNull(runs.recipe().steps()));
        news.accept("λ at its ends, " + steps + " steps each");
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
