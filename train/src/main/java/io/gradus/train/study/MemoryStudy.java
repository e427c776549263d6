package io.gradus.train.study;

import io.gradus.core.safetensors.AtomicFile;
import io.gradus.nn.model.ModelConfig;
import io.gradus.train.FineTuning;
import io.gradus.train.RunResult;
import io.gradus.train.TrainingListener;
import io.gradus.train.checkpoint.OutputFolder;
import io.gradus.train.memory.Comparison;
import io.gradus.train.memory.MemoryPlan;
import io.gradus.train.memory.Variant;
import io.gradus.train.recipe.Recipe;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.function.Consumer;
import java.util.function.Function;
import java.util.stream.Stream;

/**
 * Measures what each way to save memory saves, and what it costs in time and in loss. The same run is made with each variant, and
 * the measured peak is compared with the planned one.
 *
 * <p>The study's folder has the common {@code recipe.yaml} and a folder for each run.
 */
public final class MemoryStudy {
    private static final int STEPS_TO_WARM_UP = 10;

    private MemoryStudy() {}

    /**
     * Result of one run.
     *
     * @param plan the memory plan
     * @param measured the measured peak, in bytes
     * @param tokensPerSecond the median over the steps, without evaluations
     * @param before held-out loss before the first step
     * @param loss held-out loss after the last step
     */
    public record Row(
            Variant variant, MemoryPlan plan, long measured, double tokensPerSecond, double before, double loss) {

        /** The error of the planned peak, relative to the measured one. */
        public double error() {
            return (double) (plan.peakBytes() - measured) / measured;
        }
    }

    /**
     * The variants. Each of the first five saves in one more way than the one before; the last three change the optimizer of the
     * fifth. Adafactor and SGD have their own learning rates: Adafactor's is relative to the size of the weights, and SGD's step
     * is proportional to the gradient.
     */
    static List<Variant> rungs() {
        List<String> keys = new ArrayList<>();
        List<Variant> rungs = new ArrayList<>();
        rungs.add(new Variant("AdamW, F32", List.of("optimizer=adamw", "precision=f32")));
        keys.add("precision=bf16");
        rungs.add(new Variant("mixed precision, BF16", List.copyOf(keys)));
        keys.add("activation_checkpointing=true");
        rungs.add(new Variant("+ checkpointing", List.copyOf(keys)));
        keys.add("loss_chunk_size=64");
        rungs.add(new Variant("+ loss in chunks", List.copyOf(keys)));
        keys.addAll(List.of("optimizer_in_bwd=true", "max_grad_norm=Infinity"));
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
     * Runs the study.
     *
     * @param recipe of the runs; its memory savings, optimizer and gradient accumulation are replaced by those of the variants
     * @param folder a new folder
     * @param runs starts the run of a recipe, such as {@code FineTuning::builder}
     * @param news receives a line on what is done next
     * @return a row for each variant, in the order of the runs
     * @throws IOException if a file is missing or cannot be written
     * @throws io.gradus.train.recipe.RecipeException if the recipe does not fit the model or the study
     */
    public static List<Row> run(
            Recipe recipe, Path folder, Function<Recipe, FineTuning.Builder> runs, Consumer<String> news)
            throws IOException {
        try (OutputFolder _ = OutputFolder.open(folder)) {
            return run(recipe, folder, runs, news, rungs());
        }
    }

    static List<Row> run(
            Recipe recipe,
            Path folder,
            Function<Recipe, FineTuning.Builder> runs,
            Consumer<String> news,
            List<Variant> rungs)
            throws IOException {
        Recipe common = Comparison.withoutSavings(recipe)
                .with("optimizer=adamw", "momentum=null", "nesterov=null", "gradient_accumulation_steps=1");
        rungs.forEach(rung -> rung.of(common)); // rejects a variant before the first run
        ModelConfig config = runs.apply(recipe).build().model().config();
        StudyRuns study = StudyRuns.begin(common, folder, runs);
        AtomicFile.write(folder.resolve(StudyRuns.RECIPE), study.recipe().toYaml());
        warmUp(study, news);
        List<Row> rows = new ArrayList<>();
        for (Variant rung : rungs) {
            news.accept((rows.size() + 1) + "/" + rungs.size() + " " + rung.name() + "   "
                    + String.join(" ", rung.overrides()));
            MemoryPlan plan = FineTuning.plan(study.of(rung), config, false);
            Speed speed = new Speed();
            RunResult result = study.run(rung, speed);
            rows.add(row(rung, plan, result, speed.tokensPerSecond()));
        }
        return rows;
    }

    /** Warms up the JVM, so that the first variant is not slower. */
    private static void warmUp(StudyRuns runs, Consumer<String> news) throws IOException {
        int steps =
                Math.min(STEPS_TO_WARM_UP, Objects.requireNonNull(runs.recipe().steps()));
        news.accept("warming up, " + steps + " steps");
        runs.with("steps=" + steps, "max_eval_blocks=1").run(new Variant("warm-up", List.of()));
    }

    private static Row row(Variant rung, MemoryPlan plan, RunResult result, double tokensPerSecond) {
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

    /** Measures the speed of the steps. */
    private static final class Speed implements TrainingListener {
        private final List<Double> speeds = new ArrayList<>();

        @Override
        public void stepped(Step step) {
            speeds.add(step.tokens() / step.seconds());
        }

        /** The median, which ignores single slow steps. */
        double tokensPerSecond() {
            List<Double> sorted = speeds.stream().sorted().toList();
            return sorted.isEmpty() ? Double.NaN : sorted.get(sorted.size() / 2);
        }
    }
}
