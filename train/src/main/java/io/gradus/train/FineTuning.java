package io.gradus.train;

import io.gradus.core.safetensors.AtomicFile;
import io.gradus.nn.model.LanguageModel;
import io.gradus.nn.model.ModelFolder;
import io.gradus.train.Checkpoints.Checkpoint;
import io.gradus.train.Recipe.PrecisionKind;
import java.io.IOException;
import java.nio.file.Path;
import java.time.LocalDateTime;
import java.time.ZoneId;
import java.time.format.DateTimeFormatter;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * Full fine-tuning: every weight of a pre-trained language model is trained on text. Read {@link Run} for the whole of it.
 *
 * <p>Features: gradient accumulation weighted by the tokens that count; clipping by the global norm; weight decay off biases
 * and norms; evaluation on held-out text and on text of the kind that the model knew before; samples before and after; steps
 * with a loss spike skipped; early stopping, and the best weights at the end; checkpoints from which a run goes on to the
 * same bits, also when it was {@linkplain #stop told to end}.
 *
 * <p>A run stops with a reason when the loss or a gradient is not finite, when the gradient is zero, when the loss is beyond
 * hope, when no token counts, when the model is worse than guessing before the first step, or when its weights do not fit its
 * configuration. A run that fails before its first step leaves no file.
 */
public final class FineTuning {
    private final Recipe recipe;
    private final @Nullable Path modelFolder;
    private final Texts texts;
    private final List<TrainingListener> listeners;
    private volatile boolean stopping;

    /** Everything comes from the recipe. */
    public FineTuning(Recipe recipe, TrainingListener... listeners) {
        this(new Builder(recipe).listeners(listeners));
    }

    private FineTuning(Builder builder) {
        this.recipe = builder.recipe;
        this.modelFolder = builder.model;
        this.texts = builder.texts;
        this.listeners = List.copyOf(builder.listeners);
    }

    /** Starts a run of a recipe with parts that the recipe does not name. */
    public static Builder builder(Recipe recipe) {
        return new Builder(recipe);
    }

    /** The parts of a run. */
    public static final class Builder {
        private final Recipe recipe;
        private final List<TrainingListener> listeners = new ArrayList<>();
        private @Nullable Path model;
        private Texts texts = Texts.NONE;

        private Builder(Recipe recipe) {
            this.recipe = recipe;
            this.model = recipe.model().path();
        }

        /** The Hugging Face folder to start from, instead of {@code model.path}. */
        public Builder model(Path folder) {
            this.model = folder;
            return this;
        }

        /** Text for what the recipe names no files for. */
        public Builder texts(Texts texts) {
            this.texts = texts;
            return this;
        }

        /** Adds listeners, which are called in this order. */
        public Builder listeners(TrainingListener... more) {
            listeners.addAll(List.of(more));
            return this;
        }

        public FineTuning build() {
            return new FineTuning(this);
        }
    }

    /** The recipe of this run. */
    public Recipe recipe() {
        return recipe;
    }

    /**
     * Loads and checks what the run needs, and writes nothing.
     *
     * @param resumed whether a checkpoint will be read besides
     */
    Prepared prepare(boolean resumed) throws IOException {
        return Prepared.of(recipe, model(), texts, resumed);
    }

    /**
     * The folder of the model that the run starts from.
     *
     * @throws RecipeException when neither the recipe nor the builder names one
     * @throws IOException when there is no such folder
     */
    public ModelFolder model() throws IOException {
        if (modelFolder == null) {
            throw new RecipeException("model.path is missing: name the Hugging Face folder to start from");
        }
        return ModelFolder.open(modelFolder);
    }

    /**
     * Loads, checks, trains, evaluates and saves.
     *
     * @throws IOException when a file is missing, damaged, or cannot be written
     * @throws StoppedException when it was told to stop
     * @throws TrainingException when training cannot go on
     * @throws RecipeException when the recipe does not fit the model, the text or the run to be resumed
     */
    public RunResult run() throws IOException {
        return run(new TrainingListener[0]);
    }

    /** {@link #run()} with more listeners, which are called after those of the builder. */
    public RunResult run(TrainingListener... more) throws IOException {
        return new Run(List.of(more)).train();
    }

    /**
     * Ends the run after the step that is being made, with a checkpoint from which it can go on. Any thread may call this;
     * it does not wait.
     */
    public void stop() {
        stopping = true;
    }

    /** One run. Its constructor loads and checks, and writes nothing. */
    private final class Run {
        private final Path output = recipe.output() == null ? newFolder() : recipe.output();
        private final Checkpoints checkpoints = new Checkpoints(output);
        private final int first;
        private final Prepared prepared;
        private final LanguageModel model;
        private final TrainingStep training;
        private final Sanity sanity;
        private final SpikeGuard spikes;
        private final EarlyStopping patience;
        private final Samples samples;
        private final Map<String, Double> before;
        private final List<TrainingListener> told = new ArrayList<>(listeners);
        private Map<String, Double> latest = Map.of();

        Run(List<TrainingListener> more) throws IOException {
            told.addAll(more);
            Optional<Checkpoint> resumed = checkpoints.resumable(recipe);
            RunState state = resumed.map(Checkpoint::state).orElse(RunState.BEGINNING);
            first = state.step();
            prepared = prepare(resumed.isPresent());
            model = prepared.model();
            training = new TrainingStep(recipe, model);
            if (recipe.memory().precision() != PrecisionKind.F32) {
                prepared.base().forEachWeight(model, training::set); // what the model's own weights were rounded from
            }
            training.begin(prepared::known);
            if (resumed.isPresent()) {
                new ModelFolder(resumed.get().path()).forEachWeight(model, training::set);
                Checkpoints.restore(resumed.get(), model.device(), training::load);
                training.load(state.scale());
            }
            sanity = new Sanity(recipe, model.vocabSize());
            spikes = new SpikeGuard(recipe.guards().spikeZ(), state.spikes());
            patience = new EarlyStopping(recipe.guards().earlyStoppingPatience(), state.best());
            samples = new Samples(recipe, prepared);
            tell(listener -> listener.started(plan()));
            if (first == 0) {
                evaluate();
            }
            before = first == 0 ? latest : state.before();
        }

        // ---- the whole of it ----

        RunResult train() throws IOException {
            begin();
            int step = first;
            while (step < prepared.steps() && !patience.isTime()) {
                trainOneStep(step++);
                if (step == prepared.steps() || step % recipe.evalSteps() == 0) {
                    evaluate();
                    report(step);
                }
                boolean over = step == prepared.steps() || patience.isTime();
                if (!over && (isCheckpointDue(step) || stopping)) {
                    checkpoint(step);
                }
                if (!over && stopping) {
                    throw new StoppedException(output, step, prepared.steps());
                }
            }
            return finish(step);
        }

        private void begin() throws IOException {
            if (first == 0) {
                sanity.requireBetterThanGuessing(before);
                if (stopping) {
                    throw new StoppedException(output, 0, prepared.steps());
                }
            }
            checkpoints.prepareFolder(); // from here on there are files
            AtomicFile.write(output.resolve("recipe.yaml"), recipe.toYaml());
            told.addFirst(new MetricsLog(output.resolve("metrics.jsonl"), first));
            if (first == 0) {
                report(0);
                sample(0);
            }
        }

        /** Forward, loss, backward, update. */
        private void trainOneStep(int step) {
            long start = System.nanoTime();
            int number = step + 1;
            double rate = recipe.learningRate() * prepared.schedule().factor(step);
            TrainingStep.Outcome made;
            try {
                made = training.step(
                        step,
                        i -> prepared.batches().batch(i, model.device()),
                        rate,
                        loss -> reasonToSkip(number, loss));
            } catch (ArithmeticException e) {
                throw new TrainingException("step " + number + ": " + e.getMessage());
            }
            String skipped = made.skipped();
            if (skipped != null) {
                tell(listener -> listener.skipped(new TrainingListener.Skipped(number, made.loss(), skipped)));
                return;
            }
            sanity.requireGradient(number, made.loss(), made.gradientNorm());
            double seconds = (System.nanoTime() - start) / 1e9;
            var done =
                    new TrainingListener.Step(number, made.loss(), rate, made.gradientNorm(), made.tokens(), seconds);
            tell(listener -> listener.stepped(done));
        }

        private Optional<String> reasonToSkip(int number, double loss) {
            Optional<String> spike = spikes.reasonToSkip(loss);
            if (spike.isEmpty()) {
                sanity.requireSane("step " + number + ": the loss", loss);
            }
            return spike;
        }

        /** Chooses the weights to keep and writes them. */
        private RunResult finish(int steps) throws IOException {
            EarlyStopping.State best = patience.best();
            boolean goBack = recipe.guards().restoresBest() && best.step() != steps;
            training.settle();
            if (goBack) {
                Path weights = best.step() == 0 ? prepared.base().path() : checkpoints.best();
                new ModelFolder(weights).forEachWeight(model, training::set);
            }
            double share = recipe.forgetting().wiseFtAlpha();
            if (share < 1) {
                prepared.base().forEachWeight(model, (parameter, start) -> training.mix(parameter, start, share));
            }
            if (goBack || share < 1) {
                evaluate();
            }
            save(output);
            sample(steps);
            RunResult result = new RunResult(
                    output,
                    steps,
                    before,
                    latest,
                    best.step(),
                    best.loss(),
                    goBack ? best.step() : steps,
                    spikes.state().skipped() + training.overflows(),
                    model.device().backend().memory().atPeak());
            tell(listener -> listener.finished(result));
            return result;
        }

        // ---- its parts ----

        private void evaluate() {
            training.withAverage(
                    () -> latest = Evaluator.losses(model, prepared.data().evaluated(), recipe));
        }

        /** Tells of the latest evaluation, and keeps the weights where it was the best. */
        private void report(int step) throws IOException {
            latest.forEach((name, loss) ->
                    tell(listener -> listener.evaluated(new TrainingListener.Evaluation(step, name, loss))));
            if (step > 0) {
                latest.forEach((name, loss) -> sanity.requireSane("step " + step + ": the loss on " + name, loss));
            }
            double heldOut = latest.getOrDefault(TrainingData.HELD_OUT, Double.NaN);
            if (patience.improvedBy(step, heldOut)
                    && step > 0
                    && recipe.guards().restoresBest()) {
                training.withAverage(() -> checkpoints.writeBest(this::save));
            }
        }

        private void save(Path folder) throws IOException {
            prepared.tokenizer().save(folder);
            prepared.base().save(model, training::weight, training::isFrozenAndRounded, folder);
        }

        private void sample(int step) {
            samples.write(step).ifPresent(sample -> tell(listener -> listener.sampled(sample)));
        }

        private boolean isCheckpointDue(int step) {
            return recipe.saveSteps() > 0 && step % recipe.saveSteps() == 0;
        }

        private void checkpoint(int step) throws IOException {
            RunState state =
                    new RunState(step, recipe.toMap(), before, spikes.state(), patience.best(), training.scale());
            Path saved = checkpoints.write(state, recipe.saveTotalLimit(), this::save, training.state());
            tell(listener -> listener.checkpointed(saved));
        }

        private void tell(Consumer<TrainingListener> news) {
            told.forEach(news);
        }

        private TrainingListener.Plan plan() {
            return new TrainingListener.Plan(
                    recipe,
                    output,
                    prepared.memory(),
                    training.trained(prepared.steps()),
                    prepared.data().training().tokens(),
                    first,
                    prepared.steps(),
                    model.device().backend().description());
        }
    }

    private static Path newFolder() {
        String time = LocalDateTime.now(ZoneId.systemDefault())
                .format(DateTimeFormatter.ofPattern("yyyyMMdd-HHmmss", Locale.ROOT));
        return Path.of("runs", "finetune-" + time);
    }
}
