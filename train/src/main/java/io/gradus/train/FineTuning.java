package io.gradus.train;

import io.gradus.autograd.GradientAccumulation;
import io.gradus.autograd.Variable;
import io.gradus.core.DType;
import io.gradus.core.Device;
import io.gradus.core.MatmulPrecision;
import io.gradus.core.ProcessMemory;
import io.gradus.core.Scope;
import io.gradus.core.safetensors.AtomicFile;
import io.gradus.core.safetensors.WriteException;
import io.gradus.data.BatchSource;
import io.gradus.data.Batches.Batch;
import io.gradus.data.Dataset;
import io.gradus.data.Document;
import io.gradus.data.Packing;
import io.gradus.data.chat.ChatTemplate;
import io.gradus.data.tokenizer.Tokenizer;
import io.gradus.nn.NonFiniteException;
import io.gradus.nn.model.Head;
import io.gradus.nn.model.LanguageModel;
import io.gradus.nn.model.ModelConfig;
import io.gradus.nn.model.ModelFolder;
import io.gradus.nn.model.ModelWriter;
import io.gradus.nn.model.PretrainedModel;
import io.gradus.optim.LossScaler;
import io.gradus.optim.Optimizer;
import io.gradus.parallel.CommunicationException;
import io.gradus.parallel.CommunicationTime;
import io.gradus.parallel.Communicator;
import io.gradus.train.Evaluator.Measured;
import io.gradus.train.checkpoint.Checkpoints;
import io.gradus.train.checkpoint.Checkpoints.Checkpoint;
import io.gradus.train.checkpoint.DiskSpace;
import io.gradus.train.checkpoint.Inputs;
import io.gradus.train.checkpoint.OutputFolder;
import io.gradus.train.checkpoint.RunState;
import io.gradus.train.guard.DivergenceChecks;
import io.gradus.train.guard.EarlyStopping;
import io.gradus.train.guard.SpikeGuard;
import io.gradus.train.guard.TrainingException;
import io.gradus.train.memory.MemoryFit;
import io.gradus.train.memory.MemoryPlan;
import io.gradus.train.recipe.Recipe;
import io.gradus.train.recipe.Recipe.PrecisionKind;
import io.gradus.train.recipe.RecipeException;
import io.gradus.train.task.Embeddings;
import io.gradus.train.task.MaskedLanguageModeling;
import io.gradus.train.task.Scores;
import io.gradus.train.task.SequenceClassification;
import io.gradus.train.task.Task;
import io.gradus.train.task.TaskSetting;
import io.gradus.train.task.TokenClassification;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.lang.System.Logger.Level;
import java.nio.file.FileSystemException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.LocalDateTime;
import java.time.ZoneId;
import java.time.format.DateTimeFormatter;
import java.time.format.DateTimeParseException;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import java.util.function.Consumer;
import java.util.function.LongFunction;
import java.util.stream.IntStream;
import org.jspecify.annotations.Nullable;

/**
 * Full fine-tuning: trains every weight of a pre-trained language model. {@link #step} is one optimizer step, and {@link Run}
 * the whole run, in the order in which it happens.
 *
 * <p>Features, with their recipe keys ({@code recipe.yaml} describes all keys):
 *
 * <ul>
 *   <li><b>Gradient accumulation</b> ({@code gradient_accumulation_steps}): several batches per step, for batches that do not
 *       fit in memory. Gradients are weighted by target tokens, so the result is that of one large batch.
 *   <li><b>Mixed precision</b> ({@code precision}): weights and gradients in BF16 or F16 halve their memory; master weights
 *       and moments stay in F32, and F16 scales the loss.
 *   <li><b>Faster products</b> ({@code matmul_precision}): operands of matrix products rounded to BF16, sums in F32.
 *   <li><b>Activation checkpointing</b> ({@code activation_checkpointing}), <b>loss in chunks</b> ({@code loss_chunk_size})
 *       and the <b>optimizer step in the backward pass</b> ({@code optimizer_in_bwd}): less memory, more time. The <b>memory
 *       plan</b> knows the peak of the tensors to the byte before the run starts, and about what the process adds.
 *   <li><b>Clipping</b> ({@code max_grad_norm}), by the norm of all gradients; <b>skipped loss spikes</b> ({@code spike_z}).
 *   <li><b>Against forgetting</b>: {@code data.replay_ratio}, {@code l2_sp}, {@code ewc}, {@code layer_decay},
 *       {@code gradual_unfreeze_steps}, {@code freeze}, {@code ema_decay}, {@code wise_ft_alpha}; {@code data.general} measures
 *       it.
 *   <li><b>Early stopping</b> ({@code early_stopping_patience}) and <b>the best weights</b> ({@code load_best_model_at_end}).
 *   <li><b>Checkpoints</b> ({@code save_steps}, {@code resume}): a run that was killed, or {@linkplain #stop told to stop},
 *       resumes and ends with the same bits as a run without interruption.
 * </ul>
 *
 * <p>Refused combinations: {@code optimizer_in_bwd} with {@code max_grad_norm} (the norm is not known yet), with
 * {@code gradient_accumulation_steps} or with {@code precision: f16} (a step cannot be taken back); {@code l2_sp} with
 * {@code ewc}; {@code resume} with changed keys or files; keys that have no effect with the chosen optimizer or schedule.
 *
 * <p>The model, the data, the loss and the optimizer can be your own:
 *
 * {@snippet :
 * Recipe recipe = Recipe.builder()
 *         .train(Path.of("corpus.txt"))
 *         .output(Path.of("tuned"))
 *         .steps(300)
 *         .build();
 * LossFunction smoothed = (model, hidden, batch) -> model.logits(hidden)
 *         .crossEntropy(batch.targets(), CrossEntropyOptions.of(Reduction.SUM).withLabelSmoothing(0.1));
 * TrainingListener printer = new TrainingListener() {
 *     public void stepped(Step step) {
 *         System.out.println(step.loss());
 *     }
 * };
 * RunResult result = FineTuning.builder(recipe)
 *         .model(Path.of("my-llama")) // of any ModelFamily; or a PretrainedModel in memory
 *         .loss(smoothed)
 *         .optimizer(AdamW8bit::new) // or your own class that extends Optimizer
 *         .listeners(printer)
 *         .build()
 *         .run();
 * }
 */
public final class FineTuning {
    private static final String RECIPE = "recipe.yaml";
    private static final String METRICS = "metrics.jsonl";
    private static final int LOOKS = 30;
    private static final int LOOK_MILLIS = 100;

    private final Recipe recipe;
    private final @Nullable Path modelFolder;
    private final @Nullable PretrainedModel model;
    private final @Nullable Tokenizer tokenizer;
    private final @Nullable Dataset dataset;
    private final Texts texts;
    private final Task.@Nullable Factory customTask;
    private final @Nullable LossFunction customLoss;
    private final Optimizer.@Nullable Factory optimizer;
    private final Ranks ranks;
    private final List<TrainingListener> listeners;
    private LocalDateTime time = LocalDateTime.now(ZoneId.systemDefault()); // that chat templates write
    private volatile boolean stopping;

    /** A run in which everything comes from the recipe. */
    public FineTuning(Recipe recipe, TrainingListener... listeners) {
        this(new Builder(recipe).listeners(listeners));
    }

    private FineTuning(Builder builder) {
        this.recipe = builder.recipe;
        this.modelFolder = builder.modelFolder;
        this.model = builder.model;
        this.tokenizer = builder.tokenizer;
        this.dataset = builder.dataset;
        this.texts = builder.texts;
        this.customLoss = builder.loss;
        this.customTask = builder.task;
        this.optimizer = builder.optimizer;
        this.ranks = new Ranks(builder.communicator);
        this.listeners = List.copyOf(builder.listeners);
    }

    /** Starts a run of a recipe with parts of your own. */
    public static Builder builder(Recipe recipe) {
        return new Builder(recipe);
    }

    /** The parts of a run. Each method replaces what the recipe names. */
    public static final class Builder {
        private final Recipe recipe;
        private final List<TrainingListener> listeners = new ArrayList<>();
        private @Nullable Path modelFolder;
        private @Nullable PretrainedModel model;
        private @Nullable Tokenizer tokenizer;
        private @Nullable Dataset dataset;
        private Texts texts = Texts.NONE;
        private Task.@Nullable Factory task;
        private @Nullable LossFunction loss;
        private Optimizer.@Nullable Factory optimizer;
        private @Nullable Communicator communicator;

        private Builder(Recipe recipe) {
            this.recipe = recipe;
            this.modelFolder = recipe.model().path();
        }

        /** The Hugging Face folder of the pre-trained model, instead of {@code model.path}. */
        public Builder model(Path folder) {
            this.modelFolder = folder;
            return this;
        }

        /**
         * A model in memory, which the run trains in place. Its initial weights are kept in a temporary folder. Its device and
         * its dtype take the place of the recipe's.
         */
        public Builder model(PretrainedModel model, Tokenizer tokenizer) {
            this.model = model;
            this.tokenizer = tokenizer;
            return this;
        }

        /**
         * The batches to train and evaluate on, instead of the recipe's {@code data}. A run resumes with the same bits only if
         * the dataset returns the same batches; this is not checked.
         */
        public Builder dataset(Dataset dataset) {
            this.dataset = dataset;
            return this;
        }

        /** Documents where the recipe names no file; unlike a {@link #dataset}, the recipe tokenizes and packs them. */
        public Builder texts(Texts texts) {
            this.texts = texts;
            return this;
        }

        /** What to train, such as {@code MyTask::new}, instead of the recipe's {@code task}. */
        public Builder task(Task.Factory task) {
            this.task = task;
            return this;
        }

        /** The loss, instead of that of the task. The first loss is then not compared with that of guessing. */
        public Builder loss(LossFunction loss) {
            this.loss = loss;
            return this;
        }

        /**
         * The optimizer, such as {@code Lion::new}. It is created from the recipe's parameter groups and learning rate; the
         * recipe also determines the schedule and clipping, but may not set {@code optimizer} or the constants of another
         * optimizer.
         */
        public Builder optimizer(Optimizer.Factory optimizer) {
            this.optimizer = optimizer;
            return this;
        }

        /**
         * The processes that train together, each of which must make this call and have the same recipe, model and text. The
         * first one writes the output; only its listeners are called.
         */
        public Builder communicator(Communicator communicator) {
            this.communicator = communicator;
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

    /**
     * Loads, checks, trains, evaluates and saves. A run that fails before its first step leaves no file.
     *
     * @throws IOException if a file is missing, damaged, or cannot be written, or if another run writes the output folder; after
     *     the first step, the message says from where the run can resume
     * @throws RecipeException if the recipe does not fit the model, the data, the memory, or the run to resume
     * @throws TrainingException if training cannot continue: a loss or gradient is not finite or zero, the loss has diverged,
     *     or the untrained model is worse than guessing
     * @throws StoppedException if the run was told to stop
     */
    public RunResult run() throws IOException {
        requireParallel();
        Path chosen = recipe.output() == null ? newFolder() : recipe.output();
        Path output = Path.of(ranks.broadcast(chosen.toString(), 0));
        try (OutputFolder _ = ranks.together(() -> ranks.isFirst() ? OutputFolder.open(output) : null)) {
            boolean shared = isShared(output);
            time = LocalDateTime.parse(ranks.broadcast(time.toString(), 0)); // the text of chats may have it
            return ranks.together(() -> new Run(output, shared)).train();
        }
    }

    /** Whether all processes see the folder of the first one. */
    private boolean isShared(Path output) throws IOException {
        if (ranks.size() == 1) {
            return true;
        }
        String name = ranks.broadcast(String.format(Locale.ROOT, "shared.%016x.tmp", System.nanoTime()), 0);
        Path mark = output.resolve(name);
        ranks.together(() -> ranks.isFirst() ? Files.createFile(mark) : mark);
        boolean shared = !ranks.any(!appears(mark));
        ranks.together(() -> ranks.isFirst() && Files.deleteIfExists(mark));
        return shared;
    }

    /** Whether a file exists, or soon will: a network file system may be late. */
    private static boolean appears(Path file) {
        for (int look = 1; look < LOOKS && !Files.exists(file); look++) {
            LockSupport.parkNanos(TimeUnit.MILLISECONDS.toNanos(LOOK_MILLIS));
        }
        return Files.exists(file);
    }

    private void requireParallel() {
        if (ranks.size() == 1) {
            if (recipe.parallel() != Recipe.ParallelKind.NONE) {
                throw new RecipeException("parallel=" + recipe.parallel().name().toLowerCase(Locale.ROOT)
                        + " trains with several processes, and there is only one. Start them with"
                        + " mpirun -n 2 ./gradus finetune ..., with srun, or with torchrun --no-python; or set RANK,"
                        + " WORLD_SIZE, MASTER_ADDR and MASTER_PORT for each; or leave parallel out. See"
                        + " docs/machines.md");
            }
            return;
        }
        if (recipe.data().packing() == Packing.CONTIGUOUS) {
            throw new RecipeException("data.packing is contiguous, but several processes would each read a part of the"
                    + " batches, which then do not continue each other; train with one process, or use stream");
        }
        if (recipe.memory().optimizerInBwd()) {
            throw new RecipeException(
                    "optimizer_in_bwd updates each weight before the gradients of all processes are added; train"
                            + " with one process, or without it");
        }
        if (recipe.device().equals("gpu")) {
            throw new RecipeException("several processes train on the CPU only; use device=cpu, or one process");
        }
        if (divides() && model != null) {
            throw new RecipeException(
                    "parallel=zero3 divides the weights among processes, and the model in memory has all"
                            + " of them; pass its folder, or use parallel=zero2");
        }
    }

    /** Whether each process has its part of the weights only. */
    private boolean divides() {
        return TrainingState.kind(recipe, ranks) == Recipe.ParallelKind.ZERO3;
    }

    /**
     * Stops the run after the current step, with a checkpoint from which it can resume. Any thread may call this method, which
     * returns at once.
     */
    public void stop() {
        stopping = true;
    }

    // ---- one step ----

    /**
     * Result of one training step.
     *
     * @param loss the mean over the targets before the update, in nats
     * @param tokens the number of targets
     * @param gradientNorm of the mean loss, before clipping
     * @param skipped why weights and moments were left unchanged; null if they were not
     */
    record StepResult(
            double loss,
            long tokens,
            double gradientNorm,
            @Nullable String skipped) {}

    /** Checks the loss of a step before anything changes. */
    @FunctionalInterface
    interface LossCheck {
        LossCheck NONE = _ -> Optional.empty();

        /** A reason to skip the step, if there is one; an exception ends the run. */
        Optional<String> reasonToSkip(double loss);
    }

    /**
     * Makes one optimizer step: forward, loss, backward and update. The memory plan and the learning rate finder make the same
     * step.
     *
     * @param step counted from 0
     * @param batches by their number, counted from 0 over all steps
     * @throws ArithmeticException if a gradient is not finite; names the parameters
     */
    static StepResult step(
            TrainingState state, int step, LongFunction<Batch> batches, double learningRate, LossCheck check) {
        Recipe recipe = state.recipe;
        PretrainedModel model = state.model;
        Optimizer optimizer = state.optimizer;
        Ranks ranks = state.ranks;
        int accumulation = recipe.gradientAccumulationSteps();
        model.train();
        state.beginStep(step);
        optimizer.setLearningRate(learningRate);
        double lossSum = 0;
        long tokens = 0;
        double lossScale = 1;
        StepResult result = null;
        for (int i = 0; i < accumulation; i++) {
            try (Scope _ = Scope.open("step " + (step + 1))) {
                long number = ranks.batch(step, i, accumulation);
                Batch batch = batches.apply(number);
                model.seedDropout(recipe.seed(), (int) number);

                // Forward
                Variable hidden = model.hiddenStates(batch.input());

                // Loss, summed over the targets
                Variable loss = state.loss.sum(model, hidden, batch);
                double batchLoss = loss.item();
                lossSum += batchLoss;
                tokens += batch.counted();
                Variable penalty = model.penalty(hidden); // minimized, but not reported
                if (penalty != null) {
                    loss = loss.add(penalty.multiply(batch.counted()));
                }

                // Backward; gradients add up over the batches, and the last ones over the processes too
                boolean last = i == accumulation - 1;
                Consumer<Variable> whenComplete = parameter -> state.sums.completed(parameter, last);
                if (recipe.memory().optimizerInBwd()) {
                    result = stepInBackward(optimizer, loss, batchLoss / tokens, tokens, check);
                } else if (state.scaler == null) {
                    GradientAccumulation.backwardAndRelease(loss, model.parameters(), whenComplete);
                } else {
                    lossScale = i == 0 ? lossScale(state, batch) : lossScale;
                    GradientAccumulation.backwardAndRelease(loss.multiply(lossScale), model.parameters(), whenComplete);
                }
            }
        }
        state.sums.finish();
        Ranks.Totals totals = ranks.total(lossSum, tokens);
        lossSum = totals.loss();
        tokens = totals.tokens();
        if (result == null) {
            double loss = lossSum / tokens;
            Optional<String> reason = check.reasonToSkip(loss);
            if (reason.isPresent()) {
                result = new StepResult(loss, tokens, Double.NaN, reason.get());
            } else if (state.scaler == null) {
                // Update, with the clipped gradient of the mean loss
                double norm = state.gradientNorm() / tokens;
                state.update(state.clipping.factor(norm) / tokens);
                result = new StepResult(loss, tokens, norm, null);
            } else {
                result = scaledUpdate(state, state.scaler, loss, tokens, lossScale);
            }
        }
        if (result.skipped == null) {
            state.updateAverage();
        }
        return result;
    }

    /**
     * Requires a finite loss of a model that was not trained yet.
     *
     * @throws TrainingException if it is NaN or infinite; names the weight or the layer
     */
    static void requireFinite(double loss, TrainingState state, int step, LongFunction<Batch> batches) {
        if (!Double.isFinite(loss)) {
            throw new TrainingException(
                    "before the first step the loss is " + loss + ": " + cause(state, step, batches));
        }
    }

    /** Why the loss of a step is not finite. All processes look at all batches of the step, so they find the same. */
    static String cause(TrainingState state, int step, LongFunction<Batch> batches) {
        int count = state.recipe.gradientAccumulationSteps() * state.ranks.size();
        for (int i = 0; i < count; i++) {
            try (Scope _ = Scope.open("cause")) {
                Batch batch = batches.apply((long) step * count + i);
                if (!Double.isFinite(Evaluator.lossSum(state.model, batch, state.loss))) {
                    return Evaluator.cause(state.model, batch, state.loss);
                }
            }
        }
        return "each batch alone has a finite loss";
    }

    /** Backward and update in one. The loss is checked before, because each gradient changes its weight at once. */
    private static StepResult stepInBackward(
            Optimizer optimizer, Variable sum, double loss, long tokens, LossCheck check) {
        Optional<String> reason = check.reasonToSkip(loss);
        double norm = reason.isPresent() ? Double.NaN : optimizer.stepInBackward(sum, 1.0 / tokens) / tokens;
        return new StepResult(loss, tokens, norm, reason.orElse(null));
    }

    /**
     * The factor of the loss in F16. It scales the mean, because the sum would soon overflow; all batches of a step have the
     * factor of the first.
     */
    private static double lossScale(TrainingState state, Batch batch) {
        long counted = state.ranks.first(Math.max(1, batch.counted()));
        int batches = state.recipe.gradientAccumulationSteps() * state.ranks.size();
        return Objects.requireNonNull(state.scaler).scale() / (counted * batches);
    }

    /** The update in F16, which is skipped when a gradient overflowed. */
    private static StepResult scaledUpdate(
            TrainingState state, LossScaler scaler, double loss, long tokens, double lossScale) {
        double toMean = scaler.scale() / (lossScale * tokens); // what remains after the scaler has divided by its scale
        LossScaler.StepResult made = state.scaledUpdate(scaler, norm -> state.clipping.factor(norm * toMean) * toMean);
        String skipped =
                made.stepped() ? null : "a gradient overflowed in f16; the loss is now scaled by " + scaler.scale();
        return new StepResult(loss, tokens, made.norm() * toMean, skipped);
    }

    // ---- the run ----

    /** A part of a run that writes. */
    @FunctionalInterface
    private interface Action {
        void run() throws IOException;
    }

    /** One run, which holds the lock of its output folder. The constructor loads and checks, alone; it writes nothing. */
    private final class Run {
        /** Keys that may differ between processes. Paths may, because what the files contain is compared. */
        private static final Set<String> DIFFERS = Set.of(
                "output",
                "threads",
                "model.path",
                "data.train",
                "data.sources",
                "data.eval",
                "data.general",
                "data.replay");

        private static final String TIME = "time of the first step";

        private final Path output;
        private final Checkpoints checkpoints;
        private final int first;
        private final boolean shortened; // now ends where it was stopped, and has not been evaluated there
        private final TrainingSetup setup;
        private final Inputs inputs;
        private final PretrainedModel model;
        private final TrainingState state;
        private final DivergenceChecks checks;
        private final SpikeGuard spikes;
        private final EarlyStopping patience;
        private final Samples samples;
        private final RunState saved;
        private final Optional<Checkpoint> resumed;
        private Map<String, Double> before;
        private final List<TrainingListener> receivers =
                new ArrayList<>(ranks.isFirst() ? listeners : List.<TrainingListener>of());
        private Map<String, Double> latest = Map.of();
        private Map<String, Scores> scores = Map.of();
        private int underway; // the step that is being made, from 1; 0 before the first
        private long stateBytes; // of a checkpoint, besides the weights
        private boolean begun; // what the run needs is loaded and checked
        private boolean complete; // the trained model is saved
        private boolean timed; // the checkpoint says when the run began

        /** @param shared whether all processes see the same output folder */
        Run(Path output, boolean shared) throws IOException {
            this.output = output;
            requireShared(shared || !recipe.resume(), "the run resumes from it");
            this.checkpoints = new Checkpoints(output);
            resumed = checkpoints.resumable(recipe, ranks.size());
            saved = resumed.map(Checkpoint::state).orElse(RunState.BEGINNING);
            first = saved.step();
            time = timeOf(saved);
            setup = setup(resumed.isPresent());
            model = setup.model();
            state = state(setup);
            requireShared(
                    shared || !state.isDivided() || recipe.saveSteps() == 0,
                    "each process writes its part of a checkpoint");
            requireShared(shared || !recipe.guards().restoresBest(), "all processes read the best weights from it");
            requireShared(shared || !isRounded(), "all processes read the rounded weights from it");
            if (recipe.memory().precision() != PrecisionKind.F32 || divides()) {
                setup.base().forEachWeight(model, state::set); // master weights get the digits that 16 bits lack
            }
            requireTime(resumed.isPresent(), saved);
            saved.requireParts(parts());
            saved.requireRates(recipe, setup.steps());
            shortened = first > 0
                    && first == setup.steps()
                    && first % recipe.evalSteps() != 0
                    && !Objects.equals(saved.steps(), first);
            inputs = inputs(setup.base());
            saved.requireInputs(recipe, inputs);
            warnIfItStartsAgain(resumed.isPresent());
            checks = new DivergenceChecks(
                    recipe, model.vocabSize(), customLoss == null && model instanceof LanguageModel);
            requireMetric();
            spikes = new SpikeGuard(recipe.guards().spikeZ(), saved.spikes());
            patience = new EarlyStopping(recipe.guards().earlyStoppingPatience(), saved.best());
            samples = new Samples(recipe, setup);
            before = saved.before();
            report(listener -> listener.started(plan()));
        }

        /** Restores the state of a checkpoint. */
        private Object restore() throws IOException {
            if (resumed.isPresent()) {
                new ModelFolder(resumed.get().path()).forEachWeight(model, state::set);
                Checkpoints.restore(resumed.get(), model.device(), state::load);
                state.load(saved.scale());
            }
            return saved;
        }

        private void requireShared(boolean ok, String reason) {
            if (!ok) {
                throw new RecipeException("output " + output + " is not the same folder on all machines, but " + reason
                        + "; name a folder on a file system that they share");
            }
        }

        private void warnIfDiskIsSmall() {
            long model = setup.model().namedParameters().entrySet().stream()
                    .mapToLong(parameter -> parameter.getValue().shape().size()
                            * recipe.saveDtype()
                                    .of(setup.writer().dtype(parameter.getKey()))
                                    .bytes())
                    .sum();
            new DiskSpace(recipe, setup.steps(), setup.memory(), stateBytes, model)
                    .warning(output)
                    .ifPresent(warning ->
                            System.getLogger(FineTuning.class.getName()).log(Level.WARNING, warning));
        }

        private void warnIfItStartsAgain(boolean resumed) {
            if (!resumed && Files.exists(output.resolve(METRICS))) {
                System.getLogger(FineTuning.class.getName())
                        .log(
                                Level.WARNING,
                                "output " + output + " has a run, but no checkpoint; the run starts at step 1 again");
            }
        }

        RunResult train() throws IOException {
            try {
                return trainToTheEnd();
            } catch (TrainingException | RecipeException e) {
                throw failed(e); // on all processes, because all know the same
            } catch (OtherRankException e) {
                String problem = String.valueOf(e.getMessage());
                throw failed(begun ? new OtherRankException(problem + "\n" + whatIsSafe(problem)) : e);
            } catch (CommunicationException e) {
                endOthers(e);
                throw failed(withWhatIsSafe(e));
            } catch (IOException e) {
                endOthers(e);
                throw failed(withWhatIsSafe(e));
            } catch (UncheckedIOException e) {
                endOthers(e);
                throw failed(withWhatIsSafe(Objects.requireNonNull(e.getCause())));
            } catch (RuntimeException e) {
                endOthers(e);
                throw failed(e);
            } catch (Error e) {
                endOthers(e);
                throw e;
            }
        }

        /** Ends the other processes, unless they know of a problem. */
        private void endOthers(Throwable problem) {
            if (!ranks.isKnownToAll(problem)) {
                ranks.abort(stage() + (problem instanceof IOException ? problem.getMessage() : problem));
            }
        }

        /** Where the run is, for messages. */
        private String stage() {
            return underway == 0 ? "" : "step " + underway + ": ";
        }

        /** The end of the job, with what is safe. */
        private CommunicationException withWhatIsSafe(CommunicationException e) {
            String message = String.valueOf(e.getMessage());
            if (!begun) {
                return e;
            }
            return new CommunicationException(
                    (message.contains("step ") ? "" : stage()) + message + "\n" + whatIsSafe(message),
                    e,
                    e.isKnownToFirst());
        }

        private <X extends Exception> X failed(X problem) {
            try {
                report(listener -> listener.failed(problem));
            } catch (RuntimeException e) {
                problem.addSuppressed(e); // on a full disk, a listener fails as well
            }
            return problem;
        }

        private RunResult trainToTheEnd() throws IOException {
            ranks.requireSame(identity());
            state.begin(setup::general);
            stateBytes = state.savedBytes();
            ranks.together(this::restore);
            if (first == 0) {
                evaluate(0);
                before = latest;
                checks.requireBetterThanGuessing(before, () -> lossesWithPrompts(false), () -> lossesWithPrompts(true));
            }
            begun = true;
            if (first == 0) {
                state.withAverage(() -> lead(this::begin));
            } else {
                lead(this::begin);
            }
            if (first == 0) {
                recordEvaluation(0);
                lead(() -> sample(0));
            }
            int step = first;
            if (shortened) {
                evaluate(step);
                recordEvaluation(step);
            }
            while (step < setup.steps() && !patience.isExhausted()) {
                trainOneStep(step++);
                if (step == setup.steps() || step % recipe.evalSteps() == 0) {
                    evaluate(step);
                    recordEvaluation(step);
                }
                boolean over = step == setup.steps() || patience.isExhausted();
                boolean stop = ranks.any(stopping);
                if (!over && (isCheckpointDue(step) || stop)) {
                    int now = step;
                    lead(() -> checkpoint(now));
                }
                if (!over && stop) {
                    throw new StoppedException(output, step, setup.steps());
                }
            }
            return finish(step);
        }

        /** What only the first process does; an error ends all. */
        private void together(Action action) throws IOException {
            ranks.together(() -> {
                if (ranks.isFirst()) {
                    action.run();
                }
                return null;
            });
        }

        /** What only the first process does with weights or state that the others have parts of; an error ends all. */
        private void lead(Action action) throws IOException {
            state.lead(() -> {
                action.run();
                return null;
            });
        }

        /** What must be the same on all processes. */
        private List<String> identity() {
            List<String> lines = new ArrayList<>();
            recipe.toMap().forEach((key, value) -> {
                if (!DIFFERS.contains(key)) {
                    lines.add(key + ": " + value.replace("\n", "\\n"));
                }
            });
            lines.addAll(inputs.describe());
            lines.add("resume at step: " + first);
            return lines;
        }

        /** An error that also says what is safe and how to go on. */
        private IOException withWhatIsSafe(IOException e) {
            if (!begun) {
                return e;
            }
            String problem = String.valueOf(
                    e instanceof FileSystemException failed && failed.getFile() != null
                            ? new WriteException(Path.of(failed.getFile()), failed).getMessage()
                            : e.getMessage());
            return new IOException(problem + "\n" + whatIsSafe(problem), e);
        }

        /** What is left after a problem, and how to go on. */
        private String whatIsSafe(String problem) {
            String solve = problem.contains("space left") || problem.contains("quota")
                    ? "Free disk space"
                    : "Solve the problem";
            if (complete) {
                return "The trained model in " + output + " is complete.";
            }
            if (!Files.exists(output.resolve(RECIPE))) {
                return "Nothing was trained.";
            }
            Optional<Integer> step = newestStep();
            return (step.isPresent()
                            ? "The checkpoint of step " + step.get() + " is intact. " + solve
                                    + ", then continue from it to the same bits:\n  "
                            : "There is no checkpoint yet. " + solve + ", then start from the first step again:\n  ")
                    + ResumeCommand.of(output);
        }

        private Optional<Integer> newestStep() {
            try {
                return checkpoints.newest().map(newest -> newest.state().step());
            } catch (IOException e) {
                return Optional.empty();
            }
        }

        private void begin() throws IOException {
            if (first == 0) {
                requireSavable(false);
                warnIfDiskIsSmall();
                if (stopping) {
                    throw new StoppedException(output, 0, setup.steps());
                }
            }
            checkpoints.prepareFolder(); // the first files are written here
            // Whoever resumes again must accept the changes again.
            Recipe next = recipe.acceptChangedInputs() ? recipe.with("accept_changed_inputs=false") : recipe;
            AtomicFile.write(output.resolve(RECIPE), next.toYaml());
            receivers.addFirst(new MetricsLog(output.resolve(METRICS), first));
        }

        /** By what the batches of a step multiply its learning rate: their mean. */
        private double rateFactor(int step) {
            int accumulation = recipe.gradientAccumulationSteps();
            return IntStream.range(0, accumulation)
                    .mapToDouble(i -> setup.data().training().rateFactor(ranks.batch(step, i, accumulation)))
                    .average()
                    .orElseThrow();
        }

        private void trainOneStep(int step) throws IOException {
            long start = System.nanoTime();
            CommunicationTime before = ranks.communication();
            int number = step + 1;
            underway = number;
            double rate = state.optimizer.baseLearningRate() * setup.schedule().factor(step) * rateFactor(step);
            StepResult made;
            try {
                made = step(state, step, setup::batch, rate, loss -> reasonToSkip(number, loss));
            } catch (ArithmeticException e) {
                throw new TrainingException("step " + number + ": " + e.getMessage());
            }
            String skipped = made.skipped();
            if (skipped != null) {
                together(() -> report(
                        listener -> listener.skipped(new TrainingListener.Skipped(number, made.loss(), skipped))));
                return;
            }
            checks.requireGradient(number, made.loss(), made.gradientNorm());
            double seconds = (System.nanoTime() - start) / 1e9;
            var done = new TrainingListener.Step(
                    number,
                    made.loss(),
                    rate,
                    made.gradientNorm(),
                    made.tokens(),
                    seconds,
                    ranks.communication().since(before));
            together(() -> report(listener -> listener.stepped(done)));
        }

        private Optional<String> reasonToSkip(int number, double loss) {
            Optional<String> spike = spikes.reasonToSkip(loss);
            if (spike.isEmpty() && !Double.isFinite(loss)) {
                throw checks.notFinite(
                        "step " + number + ": the loss is " + loss + ": " + cause(state, number - 1, setup::batch));
            }
            if (spike.isEmpty()) {
                checks.requireConvergent("step " + number + ": the loss", loss);
            }
            return spike;
        }

        /** Chooses the weights to keep, evaluates and saves them. */
        private RunResult finish(int steps) throws IOException {
            EarlyStopping.State best = patience.best();
            boolean restore = recipe.guards().restoresBest() && best.step() != steps;
            double alpha = recipe.forgetting().wiseFtAlpha();
            try {
                state.withAverage(() -> lead(() -> {
                    requireSavable(alpha < 1 || (restore && best.step() == 0));
                    if (restore && best.step() > 0) {
                        checkpoints.requireBest(best.step());
                    }
                }));
            } catch (IOException e) {
                lead(() -> checkpoint(steps)); // nothing that was trained is lost
                throw e;
            }
            state.finish();
            if (restore) {
                ModelFolder weights = best.step() == 0 ? setup.base() : new ModelFolder(checkpoints.best());
                weights.forEachWeight(model, state::set);
            }
            if (alpha < 1) {
                setup.base().forEachWeight(model, (parameter, start) -> state.interpolate(parameter, start, alpha));
                state.interpolated();
            }
            if (restore || alpha < 1 || latest.isEmpty()) {
                evaluate(steps);
            }
            progressed("saving the model");
            lead(() -> {
                save(output);
                complete = true;
            });
            if (isRounded()) {
                new ModelFolder(output).forEachWeight(model, state::set);
                evaluate(steps); // the saved weights
            }
            lead(() -> sample(steps));
            RunResult result = new RunResult(
                    output,
                    steps,
                    before,
                    latest,
                    best.step(),
                    metric() == null ? best.loss() : sign(metric()) * best.loss(),
                    restore ? best.step() : steps,
                    spikes.state().skipped() + state.overflows(),
                    model.device().backend().memory().atPeak(),
                    ProcessMemory.peak(),
                    scores);
            together(() -> report(listener -> listener.finished(result)));
            return result;
        }

        private void evaluate(int step) {
            try {
                state.withAverage(() -> {
                    Map<String, Measured> found = measured(setup.data().evaluation());
                    latest = losses(found);
                    scores = new LinkedHashMap<>();
                    found.forEach((name, measured) -> scores.put(name, measured.scores()));
                });
                state.freeWeights();
            } catch (NonFiniteException e) {
                throw step == 0
                        ? new TrainingException("before the first step " + e.getMessage())
                        : checks.notFinite("step " + step + ": " + e.getMessage());
            }
        }

        private Map<String, Double> lossesWithPrompts(boolean shuffled) {
            Map<String, BatchSource> sources = new LinkedHashMap<>();
            setup.data()
                    .evaluation()
                    .forEach((name, batches) -> sources.put(name, new PromptsIncluded(batches, shuffled)));
            return losses(measured(sources));
        }

        private Map<String, Measured> measured(Map<String, BatchSource> sources) {
            return Evaluator.all(model, sources, state.loss, setup.task(), ranks, FineTuning.this::progressed);
        }

        private static Map<String, Double> losses(Map<String, Measured> found) {
            Map<String, Double> losses = new LinkedHashMap<>();
            found.forEach((name, measured) -> losses.put(name, measured.loss()));
            return losses;
        }

        /** Reports the latest evaluation, and saves the weights if it was the best. */
        private void recordEvaluation(int step) throws IOException {
            together(() -> latest.forEach((name, value) -> report(listener ->
                    listener.evaluated(new TrainingListener.Evaluation(step, name, value, scoresOf(name))))));
            if (step > 0) {
                latest.forEach(
                        (name, value) -> checks.requireConvergent("step " + step + ": the loss on " + name, value));
            }
            if (patience.improvedBy(step, compared())
                    && step > 0
                    && recipe.guards().restoresBest()) {
                state.withAverage(() -> lead(() -> checkpoints.writeBest(this::saveExactly)));
            }
        }

        private Scores scoresOf(String name) {
            return scores.getOrDefault(name, Scores.NONE);
        }

        private @Nullable String metric() {
            String metric = recipe.guards().metricForBestModel();
            return "loss".equals(metric) ? null : metric;
        }

        private void requireMetric() {
            Set<String> known = new TreeSet<>(setup.task().metrics().keySet());
            known.add("loss");
            if (metric() != null && !known.contains(metric())) {
                throw new RecipeException("metric_for_best_model is " + RecipeException.brief(metric())
                        + "; this task has " + String.join(", ", known));
            }
        }

        /** Of the latest evaluation, what is to become low: the loss on held-out text, or a metric, negated if more is better. */
        private double compared() {
            String metric = metric();
            if (metric == null) {
                return latest.values().stream().findFirst().orElse(Double.NaN);
            }
            Scores heldOut = scores.values().stream().findFirst().orElse(Scores.NONE);
            return sign(metric) * heldOut.metrics().getOrDefault(metric, Double.NaN);
        }

        private int sign(String metric) {
            return setup.task().metrics().getOrDefault(metric, false) ? -1 : 1;
        }

        /** Saves the model for others, in the dtype that the recipe wants. */
        private void save(Path folder) throws IOException {
            setup.saveTokenizer(folder);
            setup.task()
                    .save(
                            folder,
                            setup.data().training().length(),
                            scores.values().stream().findFirst().orElse(Scores.NONE));
            setup.writer().write(state::weight, state::isFrozenAndRounded, recipe.saveDtype()::of, folder);
        }

        /** Saves the model for this run, which continues from every bit of it. It has the rounded weights in any case. */
        private void saveExactly(Path folder) throws IOException {
            setup.saveTokenizer(folder);
            setup.writer().write(state::weight, _ -> false, _ -> DType.F32, folder);
        }

        /**
         * Checks what could prevent saving the model, while a checkpoint can still be written.
         *
         * @param readsBase whether weights of the base are needed; those of frozen parameters always are if they are rounded
         */
        private void requireSavable(boolean readsBase) throws IOException {
            if (readsBase || model.parameters().stream().anyMatch(state::isFrozenAndRounded)) {
                inputs.requireSameModel(setup.base().path());
            }
            setup.writer().requireInRange(state::weight, recipe.saveDtype()::of);
        }

        /** Whether saving rounds a weight. */
        private boolean isRounded() {
            return model.namedParameters().entrySet().stream()
                    .anyMatch(parameter -> recipe.saveDtype()
                                    .of(setup.writer().dtype(parameter.getKey()))
                                    .bytes()
                            < parameter.getValue().value().dtype().bytes());
        }

        private void sample(int step) {
            if (!(model instanceof LanguageModel)) {
                return;
            }
            progressed("writing a sample");
            samples.write(step).ifPresent(sample -> report(listener -> listener.sampled(sample)));
            model.device().backend().trim(); // the sizes of a sample do not come again in a step
        }

        private boolean isCheckpointDue(int step) {
            return recipe.saveSteps() > 0 && step % recipe.saveSteps() == 0;
        }

        private void checkpoint(int step) throws IOException {
            progressed("writing a checkpoint");
            RunState now = new RunState(
                    step,
                    setup.steps(),
                    recipe.toMap(),
                    parts(),
                    inputs,
                    before,
                    spikes.state(),
                    patience.best(),
                    state.lossScale());
            Path saved = checkpoints.write(now, recipe.saveTotalLimit(), this::saveExactly, state::write);
            report(listener -> listener.checkpointed(saved));
        }

        private void report(Consumer<TrainingListener> event) {
            receivers.forEach(event);
        }

        /** The parts of the run that a checkpoint depends on besides the recipe. */
        private Map<String, String> parts() {
            Map<String, String> parts = new TreeMap<>(Map.of(
                    "optimizer",
                    state.optimizer.getClass().getName(),
                    "model",
                    model.getClass().getName(),
                    "loss",
                    customLoss == null ? "the recipe's" : "custom",
                    "task",
                    customTask == null
                            ? "the recipe's"
                            : setup.task().getClass().getName(),
                    "dataset",
                    dataset == null ? "the recipe's" : "custom",
                    RunState.PROCESSES,
                    Integer.toString(ranks.size())));
            if (timed || asksForTheTime()) {
                parts.put(TIME, time.toString());
            }
            return parts;
        }

        private boolean asksForTheTime() {
            return setup.data()
                    .chatTemplate()
                    .filter(ChatTemplate::asksForTheTime)
                    .isPresent();
        }

        /** The time at which the run began. */
        private LocalDateTime timeOf(RunState saved) {
            String known = saved.parts().getOrDefault(TIME, time.toString());
            try {
                return LocalDateTime.parse(known);
            } catch (DateTimeParseException e) {
                throw new RecipeException("the checkpoint says that the run began at '" + RecipeException.brief(known)
                        + "', which is not a time; start a new run with another output");
            }
        }

        private void requireTime(boolean resumed, RunState saved) {
            timed = saved.parts().containsKey(TIME);
            if (resumed && !timed && asksForTheTime() && !recipe.acceptChangedInputs()) {
                throw new RecipeException("the chat template writes the time, and the checkpoint does not say when the"
                        + " run began, so the text of the chats would change; start a new run with another output, or"
                        + " continue with the changed text: accept_changed_inputs=true");
            }
        }

        private TrainingListener.Plan plan() {
            BatchSource training = setup.data().training();
            return new TrainingListener.Plan(
                    recipe,
                    output,
                    setup.memory(),
                    state.trained(setup.steps()),
                    training.tokensPerEpoch(),
                    (double) setup.steps() * recipe.gradientAccumulationSteps() / training.batchesPerEpoch(),
                    first,
                    setup.steps(),
                    model.device().backend().description());
        }
    }

    private static Path newFolder() {
        String time = LocalDateTime.now(ZoneId.systemDefault())
                .format(DateTimeFormatter.ofPattern("yyyyMMdd-HHmmss", Locale.ROOT));
        Path folder = Path.of("runs", "finetune-" + time);
        for (int number = 2; Files.exists(folder); number++) { // of a run that began in the same second
            folder = Path.of("runs", "finetune-" + time + "-" + number);
        }
        return folder;
    }

    // ---- loading ----

    /** The recipe of this run. */
    public Recipe recipe() {
        return recipe;
    }

    /**
     * The folder of the model that the run starts from.
     *
     * @throws RecipeException if neither the recipe nor the builder names one
     * @throws IOException if there is no such folder
     */
    public ModelFolder model() throws IOException {
        if (model != null && tokenizer != null) {
            return InitialModel.write(model, tokenizer);
        }
        if (modelFolder == null) {
            throw new RecipeException("model.path is missing: name the Hugging Face folder to start from");
        }
        return ModelFolder.open(modelFolder);
    }

    /**
     * Loads and checks what the run needs, and writes nothing.
     *
     * @param resumed whether a checkpoint will be restored
     */
    TrainingSetup setup(boolean resumed) throws IOException {
        Device device = model != null ? model.device() : device();
        requirePrecision(device);
        device.backend().memory().resetPeak(); // earlier runs on this device do not count
        ModelFolder folder = model();
        ModelConfig config = model != null ? model.config() : folder.config();
        Task task = task(folder);
        requireHead(task);
        ModelFolder base = task.head() instanceof Head.LanguageModeling && !(task instanceof MaskedLanguageModeling)
                ? folder.withHead(task.head())
                : folder.withNewHead(task.head(), recipe.seed());
        progressed("planning memory");
        MemoryPlan memory = plan(config, task, resumed, ranks);
        MemoryFit.require(memory, recipe, other -> withRecipe(other).plan(config, task, false, ranks), device);
        Tokenizer reader = tokenizer != null ? tokenizer : Tokenizer.load(base.path());
        progressed("loading the model");
        DType dtype = recipe.memory().precision().dtype();
        PretrainedModel loaded =
                model != null ? model : divides() ? base.loadAbsent(device, dtype) : base.loadModel(device, dtype);
        Dataset data = dataset != null ? dataset : task.dataset(reader, config, memory.blockLength());
        int steps = steps(data.training());
        ModelWriter writer = base.writer(loaded).stoppingAt(stops(reader, data));
        if (!(task.head() instanceof Head.LanguageModeling)) {
            reader.pad().ifPresent(writer::padding);
        }
        return new TrainingSetup(task, base, writer, reader, loaded, data, memory, steps, recipe.schedule(steps));
    }

    /** The task: that of the builder, or else that of the recipe. */
    private Task task(ModelFolder folder) throws IOException {
        if (customTask != null) {
            return customTask.open(new TaskSetting(recipe, folder, this::progressed));
        }
        return switch (recipe.task()) {
            case LANGUAGE_MODELING -> new LanguageModeling(recipe, texts, time, this::progressed);
            case SEQUENCE_CLASSIFICATION ->
                SequenceClassification.open(new TaskSetting(recipe, folder, this::progressed));
            case MASKED_LANGUAGE_MODELING ->
                MaskedLanguageModeling.open(new TaskSetting(recipe, folder, this::progressed));
            case TOKEN_CLASSIFICATION -> TokenClassification.open(new TaskSetting(recipe, folder, this::progressed));
            case EMBEDDINGS -> Embeddings.open(new TaskSetting(recipe, folder, this::progressed));
        };
    }

    private LossFunction loss(Task task) {
        return customLoss != null ? customLoss : task::lossSum;
    }

    /** A model in memory computes products in the precision of its own device, which a recipe cannot change. */
    private void requirePrecision(Device device) {
        MatmulPrecision wanted = recipe.memory().matmulPrecision();
        if (wanted != MatmulPrecision.HIGHEST && device.matmulPrecision() != wanted) {
            throw new RecipeException("matmul_precision is " + wanted + ", and the model in memory is on a device that"
                    + " computes products in " + device.matmulPrecision() + "; load it on"
                    + " device.withMatmulPrecision(MatmulPrecision." + wanted + "), or remove matmul_precision");
        }
    }

    /** A model in memory must have the head that the task trains. */
    private void requireHead(Task task) {
        if (model != null && !model.head().equals(task.head())) {
            throw new RecipeException("the model in memory has the head " + model.head() + ", and the task needs "
                    + task.head() + "; build it with that head, or pass the folder of the model");
        }
    }

    /** The tokens that end what the model is trained to write. */
    private static Set<Integer> stops(Tokenizer tokenizer, Dataset data) {
        Set<Integer> stops = new TreeSet<>(data.stopIds());
        tokenizer.eos().ifPresent(stops::add);
        return stops;
    }

    private Inputs inputs(ModelFolder base) throws IOException {
        progressed("checking the inputs");
        boolean readsTexts =
                dataset == null && customTask == null && recipe.task() == Recipe.TaskKind.LANGUAGE_MODELING;
        return Inputs.of(recipe, base.path(), dataset == null, readsTexts ? documents() : Map.of());
    }

    /** The documents in memory that this run reads, by what they are for. */
    private Map<String, List<Document>> documents() {
        Recipe.Data data = recipe.data();
        Map<String, List<Document>> used = new LinkedHashMap<>();
        if (data.trained().isEmpty()) {
            texts.training().ifPresent(documents -> used.put("the training text", documents));
            if (data.eval() == null) {
                texts.heldOut().ifPresent(documents -> used.put("the held-out text", documents));
            }
        }
        if (data.general() == null) {
            texts.general().ifPresent(documents -> used.put("the general text", documents));
            if (data.replay() == null
                    && (data.replayRatio() > 0 || recipe.forgetting().ewc() > 0)) {
                texts.known().ifPresent(documents -> used.put("the known text", documents));
            }
        }
        return used;
    }

    /** The state of a run that has made no step. */
    TrainingState state(TrainingSetup setup) {
        TrainingState state = new TrainingState(recipe, setup.model(), loss(setup.task()), optimizer, ranks);
        state.carry(setup.data().training());
        return state;
    }

    private Device device() {
        if (recipe.device().equals("gpu")) {
            return Device.gpu();
        }
        Device cpu = recipe.threads() == null ? Device.cpu() : Device.cpu(recipe.threads());
        return cpu.withMatmulPrecision(recipe.memory().matmulPrecision());
    }

    private int steps(BatchSource training) {
        if (recipe.steps() != null) {
            return recipe.steps();
        }
        double epochs = recipe.epochs() == null ? 1 : recipe.epochs();
        double forwards = Math.ceil(epochs * training.batchesPerEpoch());
        return (int) Math.max(1, Math.ceil(forwards / recipe.gradientAccumulationSteps() / ranks.size()));
    }

    /** Reports progress to the listeners. */
    void progressed(TrainingListener.Progress progress) {
        if (ranks.isFirst()) {
            listeners.forEach(listener -> listener.progressed(progress));
        }
    }

    private void progressed(String stage) {
        progressed(new TrainingListener.Progress(stage, 0, 0));
    }

    // ---- the memory plan ----

    /**
     * Plans the memory of this run, without loading anything.
     *
     * @throws RecipeException if the recipe does not fit the model
     * @throws IOException if the model's {@code config.json} is missing or damaged
     */
    public MemoryPlan plan() throws IOException {
        ModelFolder folder = model();
        return plan(model != null ? model.config() : folder.config(), task(folder), false, ranks);
    }

    /**
     * Plans the memory that a recipe takes with a model, without loading anything.
     *
     * @param resumed whether the run restores a checkpoint, whose tensors are read in addition to the run's own
     */
    public static MemoryPlan plan(Recipe recipe, ModelConfig config, boolean resumed) {
        return plan(recipe, config, resumed, 1);
    }

    /**
     * Plans the memory that each of several processes takes, without loading anything: that of the process with the largest part of
     * the model.
     *
     * @param resumed whether the run restores a checkpoint, whose tensors are read in addition to the run's own
     * @param processes that train together, as the recipe's {@code parallel} says; there may be any number, none of which is started
     */
    public static MemoryPlan plan(Recipe recipe, ModelConfig config, boolean resumed, int processes) {
        FineTuning run = new FineTuning(recipe);
        Task task = switch (recipe.task()) {
            case LANGUAGE_MODELING -> new LanguageModeling(recipe, Texts.NONE, run.time, run::progressed);
            case SEQUENCE_CLASSIFICATION -> SequenceClassification.unread(recipe);
            case MASKED_LANGUAGE_MODELING -> MaskedLanguageModeling.unread(recipe);
            case TOKEN_CLASSIFICATION -> TokenClassification.unread(recipe);
            case EMBEDDINGS -> Embeddings.unread(recipe);
        };
        return new Rehearsal(recipe, config, task, null, task::lossSum, null, Rehearsal.LARGEST, processes)
                .plan(resumed);
    }

    private MemoryPlan plan(ModelConfig config, Task task, boolean resumed, Ranks among) {
        return new Rehearsal(recipe, config, task, dataset, loss(task), optimizer, among.rank(), among.size())
                .plan(resumed);
    }

    private FineTuning withRecipe(Recipe other) {
        Builder builder = new Builder(other).texts(texts);
        builder.dataset = dataset;
        builder.task = customTask;
        builder.loss = customLoss;
        builder.optimizer = optimizer;
        return builder.build();
    }
}
