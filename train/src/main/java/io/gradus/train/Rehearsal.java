package io.gradus.train;

import io.gradus.core.DType;
import io.gradus.core.Device;
import io.gradus.core.MemoryCategory;
import io.gradus.core.MemoryLedger;
import io.gradus.core.Scope;
import io.gradus.core.Shape;
import io.gradus.core.Tensor;
import io.gradus.core.cpu.CpuBackend;
import io.gradus.data.BatchSource;
import io.gradus.data.Batches.Batch;
import io.gradus.data.Dataset;
import io.gradus.data.Packing;
import io.gradus.nn.KeyValueCache;
import io.gradus.nn.WeightSource;
import io.gradus.nn.model.Head;
import io.gradus.nn.model.ModelConfig;
import io.gradus.nn.model.PretrainedModel;
import io.gradus.optim.Optimizer;
import io.gradus.parallel.TrafficCount;
import io.gradus.train.checkpoint.SavedTensors;
import io.gradus.train.memory.MemoryPlan;
import io.gradus.train.memory.ProcessPlan;
import io.gradus.train.recipe.Optimizers;
import io.gradus.train.recipe.Recipe;
import io.gradus.train.recipe.Recipe.ParallelKind;
import io.gradus.train.recipe.RecipeException;
import io.gradus.train.task.Task;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.lang.ref.Reference;
import java.util.Collection;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.function.ToIntFunction;
import org.jspecify.annotations.Nullable;

/**
 * Makes a run's own steps on the meta device, which only counts bytes: the model is built, the optimizer created, two steps
 * and an evaluation are made. Nothing is allocated, read or computed. Not counted are the samples, which are usually shorter
 * than a batch. What the process takes beside its tensors is estimated.
 *
 * @param task of the run
 * @param rank the process that is planned, or {@link #LARGEST}
 * @param processes the number of processes that train together
 */
record Rehearsal(
        Recipe recipe,
        ModelConfig config,
        Task task,
        @Nullable Dataset dataset,
        LossFunction loss,
        Optimizer.@Nullable Factory optimizer,
        int rank,
        int processes) {

    /** Plans the process that has most of the model. */
    static final int LARGEST = -1;

    /** Ten times the depth of published models, and counted in seconds. */
    private static final int MOST_LAYERS = 2_000;

    /** The first step allocates the gradients, so that only the second has them together with all activations. */
    private static final int STEPS = 2;

    /**
     * The plan of the run.
     *
     * @param resumed whether the run restores a checkpoint, whose tensors are read in addition to the run's own
     * @throws RecipeException if the recipe does not fit the model
     */
    MemoryPlan plan(boolean resumed) {
        if (config.numHiddenLayers() > MOST_LAYERS) {
            throw new RecipeException("num_hidden_layers or n_layer in config.json is " + config.numHiddenLayers()
                    + "; memory is planned for at most " + MOST_LAYERS + " layers");
        }
        try {
            return count(resumed);
        } catch (ArithmeticException e) {
            throw new RecipeException("the run would need more than 2^63 bytes: check vocab_size " + config.vocabSize()
                    + ", hidden_size " + config.hiddenSize() + " and the other sizes in config.json, batch_size "
                    + recipe.batchSize() + " and data.max_seq_len "
                    + recipe.data().blockLength(config.maxPositionEmbeddings()));
        }
    }

    private MemoryPlan count(boolean resumed) {
        Device device = recipe.device().equals("gpu") ? Device.meta(DType.F32) : Device.meta();
        WeightSource weights = WeightSource.random(device, recipe.seed())
                .to(recipe.memory().precision().dtype());
        boolean whole = processes == 1 || recipe.parallel() != ParallelKind.ZERO3;
        PretrainedModel model = config.build(whole ? weights : weights.absent(), task.head());
        int rows = dataset == null ? recipe.batchSize() : dataset.training().batchSize();
        int length = dataset == null
                ? recipe.data().blockLength(model.contextLength())
                : dataset.training().length();
        requireCountable(rows, length);
        TrafficCount traffic = processes == 1 ? null : new TrafficCount(place(model), processes);
        TrainingState state = new TrainingState(recipe, model, loss, optimizer, new Ranks(traffic));
        state.begin(_ -> general(device, length));
        if (resumed) {
            try {
                restore(state, device);
            } catch (IOException e) {
                throw new UncheckedIOException(e); // nothing is read
            }
        }
        KeyValueCache evaluation = new KeyValueCache(config.numHiddenLayers(), Integer.MAX_VALUE);
        evaluate(state, device, evaluation, rows, length); // as a run does first: it may read longer rows than training
        KeyValueCache training = new KeyValueCache(config.numHiddenLayers(), Integer.MAX_VALUE);
        long sent = 0;
        for (int step = 0; step < STEPS; step++) {
            sent = traffic == null ? 0 : traffic.sentBytes();
            // The last steps of a long run, in which gradual unfreezing trains all layers.
            FineTuning.step(
                    state,
                    Integer.MAX_VALUE - STEPS + step,
                    _ -> carrying(training, task.largest(device, rows, length)),
                    recipe.learningRate(),
                    FineTuning.LossCheck.NONE);
        }
        sent = traffic == null ? 0 : traffic.sentBytes() - sent;
        evaluate(state, device, evaluation, rows, length);
        try {
            return MemoryPlan.of(
                    device,
                    model.parameterCount(),
                    rows,
                    length,
                    state.tensors(),
                    processes,
                    sent,
                    process(device, rows, length));
        } finally {
            Reference.reachabilityFence(state); // tensors of collected objects would no longer be counted
            Reference.reachabilityFence(training);
            Reference.reachabilityFence(evaluation);
        }
    }

    private int place(PretrainedModel model) {
        return rank != LARGEST
                ? rank
                : ParameterShards.largest(model.parameters(), Optimizers.sharding(recipe, optimizer), processes);
    }

    /** What the process takes beside the tensors that were counted. */
    private ProcessPlan process(Device device, int rows, int length) {
        if (recipe.device().equals("gpu")) {
            return ProcessPlan.NONE;
        }
        MemoryLedger counted = device.backend().memory();
        return ProcessPlan.of(
                counted.heldPeak() - counted.peak(),
                recipe.threads() == null ? CpuBackend.defaultThreads() : recipe.threads(),
                (long) rows * length,
                config.hiddenSize(),
                config.vocabSize());
    }

    private void evaluate(TrainingState state, Device device, KeyValueCache carried, int rows, int length) {
        PretrainedModel model = state.model;
        try (Scope _ = Scope.open("evaluation")) {
            model.eval();
            Evaluator.lossSum(model, carrying(carried, evaluation(device, rows, length)), loss);
        }
        state.freeWeights();
    }

    /** A contiguous batch continues from a state, which takes memory from batch to batch. */
    private Batch carrying(KeyValueCache state, Batch batch) {
        boolean carries =
                dataset == null && config.isRecurrent() && recipe.data().packing() == Packing.CONTIGUOUS;
        return carries ? batch.continuing(state) : batch;
    }

    private Batch general(Device device, int length) {
        BatchSource general = dataset == null ? null : dataset.general().orElse(null);
        return general == null
                ? task.largest(device, 1, length)
                : task.largest(device, general.batchSize(), general.length());
    }

    private Batch evaluation(Device device, int rows, int length) {
        return dataset == null
                ? task.largest(device, evaluatedRows(rows), length)
                : task.largest(device, largest(BatchSource::batchSize), largest(BatchSource::length));
    }

    private int largest(ToIntFunction<BatchSource> size) {
        Collection<BatchSource> sources =
                dataset == null ? List.of() : dataset.evaluation().values();
        return sources.stream().mapToInt(size).max().orElse(1);
    }

    /** Ids and targets are indexed by {@code int}. */
    private static void requireCountable(int rows, int length) {
        if ((long) rows * length > Integer.MAX_VALUE) {
            throw new RecipeException("batch_size is " + rows + " and data.max_seq_len " + length
                    + ": a batch cannot have more than 2^31 tokens; use a smaller one with"
                    + " gradient_accumulation_steps");
        }
    }

    /** The most rows of an evaluated batch. */
    private int evaluatedRows(int rows) {
        boolean ofLanguageModel = task.head() instanceof Head.LanguageModeling;
        return Math.min(rows, ofLanguageModel ? recipe.evaluatedBlocks() : rows);
    }

    /** Restores the optimizer's state from a checkpoint. */
    private static void restore(TrainingState state, Device device) throws IOException {
        Map<String, StateShards> saved = new LinkedHashMap<>();
        state.stateShards().forEach(each -> saved.put(each.name(), each));
        try (Scope _ = Scope.open("restore")) {
            state.load(new SavedTensors() {
                @Override
                public Set<String> names() {
                    return saved.keySet();
                }

                @Override
                public Tensor read(String name, long from, long to) {
                    DType dtype = Objects.requireNonNull(saved.get(name)).dtype();
                    return Tensor.empty(device, dtype, Shape.of(to - from), MemoryCategory.WORKSPACE);
                }

                @Override
                public Tensor read(String name) {
                    StateShards each = Objects.requireNonNull(saved.get(name));
                    return Tensor.empty(device, each.dtype(), each.shape(), MemoryCategory.WORKSPACE);
                }
            });
        }
    }
}
