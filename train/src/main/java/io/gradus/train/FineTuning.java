package io.gradus.train;

import io.gradus.core.Device;
import io.gradus.core.MemoryCategory;
import io.gradus.core.safetensors.AtomicFile;
import io.gradus.nn.generate.Sampling;
import io.gradus.nn.generate.TextGeneration;
import io.gradus.nn.model.LanguageModel;
import io.gradus.optim.Optimizer;
import io.gradus.optim.Schedule;
import io.gradus.train.Checkpoints.Checkpoint;
import io.gradus.train.data.Batches;
import io.gradus.train.memory.MemoryFit;
import io.gradus.train.memory.MemoryPlan;
import io.gradus.train.report.RunReport;
import io.gradus.train.text.Tokenizer;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.LocalDateTime;
import java.time.format.DateTimeFormatter;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;

/**
 * Full fine-tuning: every weight of a pre-trained language model is trained on text. Read {@link #run} for the whole of it.
 *
 * <p>Features: gradient accumulation weighted by the tokens that count; clipping by the global norm; weight decay off biases
 * and norms; evaluation on held-out text and on text of the kind that the model knew before; samples before and after;
 * checkpoints from which a run goes on to the same bits.
 *
 * <p>A run stops with a reason when the loss or a gradient is not finite, when the gradient is zero, when the loss is beyond
 * hope, when no token counts, when the model is worse than guessing before the first step, or when its weights do not fit its
 * configuration. A run that fails before its first step leaves no file.
 */
public final class FineTuning {
    /** A loss so many times that of guessing does not come back. */
    private static final double HOPELESS = 10;

    /** Tokens seen at once where nobody says otherwise; attention's cost grows with the square of it. */
    public static final int USUAL_BLOCK_LENGTH = 256;

    private final Recipe recipe;
    private final List<TrainingListener> listeners = new ArrayList<>();

    /**
     * What came of a run.
     *
     * @param output the folder with the trained model
     * @param steps made in all
     * @param before losses before the first step, by the name of the text
     * @param after losses after the last
     * @param peakBytes the most memory in use at once, by category
     */
    public record Result(
            Path output,
            int steps,
            Map<String, Double> before,
            Map<String, Double> after,
            Map<MemoryCategory, Long> peakBytes) {}

    public FineTuning(Recipe recipe, TrainingListener... listeners) {
        this.recipe = recipe;
        this.listeners.add(new RunReport());
        this.listeners.addAll(List.of(listeners));
    }

    /**
     * Loads, checks, trains, evaluates and saves.
     *
     * @throws IOException when a file is missing, damaged, or cannot be written
     * @throws TrainingException when training cannot go on
     * @throws RecipeException when the recipe does not fit the model, the text or the run to be resumed
     */
    public Result run() throws IOException {
        Path output = recipe.output() == null ? newFolder() : recipe.output();
        Checkpoints checkpoints = new Checkpoints(output);
        Optional<Checkpoint> resumed = resumable(checkpoints, output);

        Device device = device();
        device.backend().memory().resetPeak(); // what ran before on this device is not this run's
        ModelFolder base = recipe.model().path() == null
                ? BuiltIn.model()
                : ModelFolder.open(recipe.model().path());
        MemoryPlan memory = MemoryPlan.of(recipe, base.architecture(), resumed.isPresent());
        MemoryFit.require(memory, recipe, base.architecture(), device);
        Tokenizer tokenizer = base.tokenizer();
        LanguageModel model =
                (resumed.isEmpty() ? base : new ModelFolder(resumed.get().path())).load(device);
        TrainingData data = TrainingData.read(recipe, tokenizer, blockLength(recipe, model));
        data.requireFits(model);

        TrainingStep training = new TrainingStep(recipe, model);
        Optimizer optimizer = training.optimizer();
        Batches batches = new Batches(data.training(), recipe.batchSize(), recipe.seed(), true);
        int steps = steps(batches);
        Schedule schedule = schedule(steps);
        int first = 0;
        if (resumed.isPresent()) {
            first = resumed.get().step();
            Checkpoints.restore(resumed.get(), optimizer, device);
        }
        int[] prompt = samplePrompt(model, tokenizer, data);
        announce(output, memory, model, data, first, steps);

        Map<String, Double> before =
                resumed.isPresent() ? resumed.get().before() : Evaluator.losses(model, data.evaluated(), recipe);
        if (first == 0 && recipe.checkFirstLoss()) {
            requireBetterThanGuessing(model, before);
        }
        checkpoints.prepareFolder(); // from here on there are files
        AtomicFile.write(output.resolve("recipe.yaml"), recipe.toYaml());
        listeners.addFirst(new MetricsLog(output.resolve("metrics.jsonl"), first));
        if (first == 0) {
            tell(before, 0);
            sample(model, tokenizer, prompt, 0);
        }
        Map<String, Double> after = before;
        for (int step = first; step < steps; step++) {
            trainOneStep(model, training, batches, step, recipe.learningRate() * schedule.factor(step));
            int done = step + 1;
            if (done == steps || done % recipe.evaluateEvery() == 0) {
                after = Evaluator.losses(model, data.evaluated(), recipe);
                tell(after, done);
                after.forEach((name, loss) -> requireSane(model, "step " + done + ": the loss on " + name, loss));
            }
            if (recipe.checkpointEvery() > 0 && done < steps && done % recipe.checkpointEvery() == 0) {
                Path saved = checkpoints.write(
                        done, recipe, before, folder -> base.save(model, tokenizer, folder), optimizer);
                listeners.forEach(listener -> listener.checkpointed(saved));
            }
        }
        base.save(model, tokenizer, output);
        sample(model, tokenizer, prompt, steps);
        Result result = new Result(
                output, steps, before, after, device.backend().memory().atPeak());
        listeners.forEach(listener -> listener.finished(result));
        return result;
    }

    // ---- the step ----

    /** Forward, loss, backward, update. */
    private void trainOneStep(
            LanguageModel model, TrainingStep training, Batches batches, int step, double learningRate) {
        long start = System.nanoTime();
        TrainingStep.Pass pass = training.backward(step, i -> batches.batch(i, model.device()));
        requireSane(model, "step " + (step + 1) + ": the loss", pass.loss());
        double norm = gradientNorm(training, pass, step);
        if (norm == 0 && pass.loss() > 0) {
            throw new TrainingException(
                    "step " + (step + 1) + ": the gradient is zero, nothing can be learnt any more; " + remedy());
        }
        training.update(pass, norm, learningRate);
        double seconds = (System.nanoTime() - start) / 1e9;
        var done = new TrainingListener.Step(step + 1, pass.loss(), learningRate, norm, pass.tokens(), seconds);
        listeners.forEach(listener -> listener.stepped(done));
    }

    private static double gradientNorm(TrainingStep training, TrainingStep.Pass pass, int step) {
        try {
            return training.gradientNorm(pass);
        } catch (ArithmeticException e) {
            throw new TrainingException("step " + (step + 1) + ": " + e.getMessage());
        }
    }

    // ---- when to stop ----

    private static void requireBetterThanGuessing(LanguageModel model, Map<String, Double> losses) {
        double guessing = Math.log(model.vocabularySize());
        double loss =
                losses.values().stream().mapToDouble(Double::doubleValue).min().orElse(0);
        if (!(loss < guessing + 0.5)) {
            throw new TrainingException(String.format(
                    Locale.ROOT,
                    "before the first step the loss is %.2f, worse than guessing among %d tokens (%.2f): do the weights, the"
                            + " configuration and the tokeniser belong together? check_first_loss=false trains all the same",
                    loss,
                    model.vocabularySize(),
                    guessing));
        }
    }

    private void requireSane(LanguageModel model, String what, double loss) {
        double guessing = Math.log(model.vocabularySize());
        if (!Double.isFinite(loss)) {
            throw new TrainingException(what + " is " + loss + "; " + remedy());
        }
        if (recipe.checkFirstLoss() && loss > HOPELESS * guessing) {
            throw new TrainingException(String.format(
                    Locale.ROOT,
                    "%s is %.4g, and guessing among %d tokens has %.2f: the training has diverged; %s",
                    what,
                    loss,
                    model.vocabularySize(),
                    guessing,
                    remedy()));
        }
    }

    private String remedy() {
        return "a lower learning_rate (now " + recipe.learningRate() + ") or a longer warmup often helps";
    }

    // ---- evaluation and samples ----

    private void tell(Map<String, Double> losses, int step) {
        losses.forEach((name, loss) -> {
            var evaluation = new TrainingListener.Evaluation(step, name, loss);
            listeners.forEach(listener -> listener.evaluated(evaluation));
        });
    }

    /** What the samples begin with: as the recipe says, or as much of held-out text as leaves room to write. */
    private int[] samplePrompt(LanguageModel model, Tokenizer tokenizer, TrainingData data) {
        String wanted = recipe.sample().prompt();
        int context = model.contextLength();
        if (wanted == null) {
            int[] ids = Prompts.encode(tokenizer, data.samplePrompt());
            return Arrays.copyOf(ids, Math.clamp(context / 2, 1, ids.length));
        }
        int[] ids = Prompts.encode(tokenizer, wanted);
        if (ids.length > context) {
            throw new RecipeException("sample.prompt has " + ids.length + " tokens, but the model sees only " + context
                    + " (max_position_embeddings or n_positions)");
        }
        return ids;
    }

    private void sample(LanguageModel model, Tokenizer tokenizer, int[] prompt, int step) {
        if (recipe.sample().maxTokens() == 0) {
            return;
        }
        var sampling = new Sampling(recipe.sample().temperature(), 0, 1, recipe.seed());
        var generation = new TextGeneration(sampling, recipe.sample().maxTokens(), Prompts.stops(tokenizer), true);
        int[] written = generation.generate(model, prompt, id -> {}).ids();
        String text = Prompts.continuation(tokenizer, prompt, written);
        var sample = new TrainingListener.Sample(step, tokenizer.decode(prompt), text);
        listeners.forEach(listener -> listener.sampled(sample));
    }

    // ---- what the recipe says, made ----

    private Path newFolder() {
        String time = LocalDateTime.now().format(DateTimeFormatter.ofPattern("yyyyMMdd-HHmmss"));
        return Path.of("runs", "finetune-" + time);
    }

    /** The checkpoint to go on from, if any; a folder that holds something else to lose is refused. */
    private Optional<Checkpoint> resumable(Checkpoints checkpoints, Path output) throws IOException {
        if (Files.exists(output) && !Files.isDirectory(output)) {
            throw new RecipeException("output " + output + " is a file; name a folder");
        }
        Optional<Checkpoint> newest = checkpoints.newest();
        boolean run = newest.isPresent() || Files.exists(output.resolve("metrics.jsonl"));
        boolean model = Files.exists(output.resolve("config.json"));
        if (!recipe.resume() && (run || model)) {
            throw new RecipeException("output " + output + " holds a " + (run ? "run" : "model") + " already; "
                    + (run ? "continue it with resume=true, or " : "") + "name another folder");
        }
        if (model && !run) {
            throw new RecipeException("output " + output + " holds a model and no run to resume; name another folder");
        }
        newest.ifPresent(checkpoint -> Checkpoints.requireSame(checkpoint, recipe));
        return newest;
    }

    private Device device() {
        if (recipe.device().equals("gpu")) {
            return Device.gpu();
        }
        return recipe.threads() == null ? Device.cpu() : Device.cpu(recipe.threads());
    }

    /**
     * How many tokens the model is shown at once.
     *
     * @throws RecipeException when the recipe asks for more than the model sees
     */
    public static int blockLength(Recipe recipe, LanguageModel model) {
        Integer wanted = recipe.data().blockLength();
        if (wanted == null) {
            return Math.min(USUAL_BLOCK_LENGTH, model.contextLength());
        }
        if (wanted > model.contextLength()) {
            throw new RecipeException("data.block_length is " + wanted + ", but the model sees only "
                    + model.contextLength() + " tokens (max_position_embeddings or n_positions)");
        }
        return wanted;
    }

    private int steps(Batches batches) {
        if (recipe.steps() != null) {
            return recipe.steps();
        }
        double forwards = Math.ceil(recipe.passes() * batches.batchesPerEpoch());
        return (int) Math.max(1, Math.ceil(forwards / recipe.gradientAccumulation()));
    }

    private Schedule schedule(int steps) {
        int warmup = (int) Math.round(recipe.warmup() * steps);
        return switch (recipe.schedule()) {
            case COSINE -> Schedule.cosine(warmup, steps, recipe.floor());
            case LINEAR -> Schedule.linear(warmup, steps);
            case CONSTANT -> Schedule.warmup(warmup);
        };
    }

    private void announce(
            Path output, MemoryPlan memory, LanguageModel model, TrainingData data, int first, int steps) {
        var plan = new TrainingListener.Plan(
                recipe,
                output,
                memory,
                data.training().tokens(),
                first,
                steps,
                model.device().backend().description());
        listeners.forEach(listener -> listener.started(plan));
    }
}
