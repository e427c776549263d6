package io.gradus.train;

import io.gradus.core.DType;
import io.gradus.core.Device;
import io.gradus.core.MemoryCategory;
import io.gradus.core.Scope;
import io.gradus.core.Shape;
import io.gradus.core.Tensor;
import io.gradus.data.BatchSource;
import io.gradus.data.Batches.Batch;
import io.gradus.data.Dataset;
import io.gradus.nn.WeightSource;
import io.gradus.nn.model.LanguageModel;
import io.gradus.nn.model.ModelConfig;
import io.gradus.optim.Optimizer;
import io.gradus.train.memory.MemoryPlan;
import io.gradus.train.recipe.Recipe;
import io.gradus.train.recipe.RecipeException;
import java.lang.ref.Reference;
import java.util.Collection;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.function.ToIntFunction;
import org.jspecify.annotations.Nullable;

/**
 * Makes a run's own steps on the meta device, which only counts bytes: the model is built, the optimizer created, two steps
 * and an evaluation are made. Nothing is allocated, read or computed. Not counted are the samples, which are usually shorter
 * than a batch, and what the meta device leaves out.
 */
record Rehearsal(
        Recipe recipe,
        ModelConfig config,
        @Nullable Dataset dataset,
        LossFunction loss,
        Optimizer.@Nullable Factory optimizer) {

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
        Device device = Device.meta();
        LanguageModel model = config.build(WeightSource.random(device, recipe.seed())
                .to(recipe.memory().precision().dtype()));
        int rows = dataset == null ? recipe.batchSize() : dataset.training().batchSize();
        int length = dataset == null
                ? recipe.data().blockLength(model.contextLength())
                : dataset.training().length();
        requireCountable(rows, length);
        TrainingState state = new TrainingState(recipe, model, loss, optimizer, new Ranks(null));
        state.begin(_ -> general(device, length));
        if (resumed) {
            restore(state, device);
        }
        evaluate(model, device, rows, length); // as a run does first: it may read longer rows than training
        for (int step = 0; step < STEPS; step++) {
            // The last steps of a long run, in which gradual unfreezing trains all layers.
            FineTuning.step(
                    state,
                    Integer.MAX_VALUE - STEPS + step,
                    _ -> batch(device, rows, length),
                    recipe.learningRate(),
                    FineTuning.LossCheck.NONE);
        }
        evaluate(model, device, rows, length);
        try {
            return MemoryPlan.of(device, model.parameterCount(), rows, length, state.tensors());
        } finally {
            Reference.reachabilityFence(state); // tensors of collected objects would no longer be counted
        }
    }

    private void evaluate(LanguageModel model, Device device, int rows, int length) {
        try (Scope _ = Scope.open("evaluation")) {
            model.eval();
            Evaluator.lossSum(model, evaluation(device, rows, length), loss);
        }
    }

    private Batch general(Device device, int length) {
        BatchSource general = dataset == null ? null : dataset.general().orElse(null);
        return general == null ? batch(device, 1, length) : batch(device, general.batchSize(), general.length());
    }

    private Batch evaluation(Device device, int rows, int length) {
        return dataset == null
                ? batch(device, Math.min(rows, recipe.maxEvalBlocks()), length)
                : batch(device, largest(BatchSource::batchSize), largest(BatchSource::length));
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

    private static Batch batch(Device device, int rows, int length) {
        Tensor ids = Tensor.empty(device, DType.I32, Shape.of(rows, length), MemoryCategory.ACTIVATIONS);
        Tensor targets = Tensor.empty(device, DType.I32, Shape.of(ids.size()), MemoryCategory.ACTIVATIONS);
        return new Batch(ids, targets, ids.size(), null, null);
    }

    /** Restores the optimizer's state from a checkpoint. */
    private static void restore(TrainingState state, Device device) {
        try (Scope _ = Scope.open("restore")) {
            Map<String, Tensor> saved = new HashMap<>();
            state.tensors()
                    .forEach((name, tensor) -> saved.put(
                            name, Tensor.empty(device, tensor.dtype(), tensor.shape(), MemoryCategory.WORKSPACE)));
            state.load(saved);
        }
    }
}
