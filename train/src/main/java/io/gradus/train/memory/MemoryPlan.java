package io.gradus.train.memory;

import io.gradus.core.DType;
import io.gradus.core.Device;
import io.gradus.core.MemoryCategory;
import io.gradus.core.Scope;
import io.gradus.core.Shape;
import io.gradus.core.Tensor;
import io.gradus.data.Batches.Batch;
import io.gradus.nn.WeightSource;
import io.gradus.nn.model.LanguageModel;
import io.gradus.nn.model.ModelConfig;
import io.gradus.train.Evaluator;
import io.gradus.train.Recipe;
import io.gradus.train.RecipeException;
import io.gradus.train.TrainingStep;
import java.lang.ref.Reference;
import java.util.HashMap;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;

/**
 * The bytes that a run will have in tensors, counted by making its own step on {@linkplain Device#meta() a device that only
 * counts}: the model built, the optimiser made, two steps and an evaluation. Nothing is allocated, read or computed.
 *
 * <p>What a run allocates that is not in here: the sample texts, which are shorter than a batch, and what {@link
 * Device#meta()} leaves out too.
 *
 * @param parameters numbers of the model, frozen ones among them
 * @param batchSize blocks per forward pass
 * @param blockLength tokens per block
 * @param kept what stays from step to step, by category
 * @param atPeak what is in use when most is, by category
 * @param optimizerState the optimiser's part of {@code kept}, by buffer: {@code exp_avg} and so on
 */
public record MemoryPlan(
        long parameters,
        int batchSize,
        int blockLength,
        Map<MemoryCategory, Long> kept,
        Map<MemoryCategory, Long> atPeak,
        Map<String, Long> optimizerState) {

    /** The first step makes the gradients, so only in the second are they there beside all activations. */
    private static final int STEPS = 2;

    /**
     * Plans a run.
     *
     * @param resumed whether it goes on from a checkpoint, whose optimiser state is read beside the one made
     * @throws RecipeException when the recipe does not fit the model
     */
    public static MemoryPlan of(Recipe recipe, ModelConfig config, boolean resumed) {
        try {
            return count(recipe, config, resumed);
        } catch (ArithmeticException e) {
            throw new RecipeException(
                    "a tensor of this model would have more bytes than a long can count; check the sizes"
                            + " in config.json, batch_size and data.max_seq_len");
        }
    }

    private static MemoryPlan count(Recipe recipe, ModelConfig config, boolean resumed) {
        Device device = Device.meta();
        LanguageModel model = config.build(WeightSource.random(device, recipe.seed())
                .to(recipe.memory().precision().dtype()));
        int blockLength = recipe.data().blockLength(model.contextLength());
        requireCountable(recipe.batchSize(), blockLength);
        TrainingStep training = new TrainingStep(recipe, model);
        training.begin(_ -> batch(device, 1, blockLength));
        if (resumed) {
            restore(training, device);
        }
        for (int step = 0; step < STEPS; step++) {
            // The last steps of a long run: by then all layers are thawed.
            training.step(
                    Integer.MAX_VALUE - STEPS + step,
                    _ -> batch(device, recipe.batchSize(), blockLength),
                    recipe.learningRate(),
                    _ -> Optional.empty());
        }
        try (Scope _ = Scope.open("evaluation")) {
            model.eval();
            Evaluator.lossSum(
                    model,
                    batch(device, Math.min(recipe.batchSize(), recipe.maxEvalBlocks()), blockLength),
                    recipe.memory().lossChunkSize());
        }
        try {
            Map<MemoryCategory, Long> kept = new HashMap<>();
            for (MemoryCategory category : MemoryCategory.values()) {
                kept.put(category, device.backend().memory().live(category));
            }
            kept.values().removeIf(bytes -> bytes == 0);
            return new MemoryPlan(
                    model.parameterCount(),
                    recipe.batchSize(),
                    blockLength,
                    Map.copyOf(kept),
                    device.backend().memory().atPeak(),
                    optimizerState(training, device));
        } finally {
            Reference.reachabilityFence(training); // the ledger no longer counts what the garbage collector frees
        }
    }

    /** Ids and targets are numbered by {@code int}. */
    private static void requireCountable(int batchSize, int blockLength) {
        if ((long) batchSize * blockLength > Integer.MAX_VALUE) {
            throw new RecipeException("batch_size is " + batchSize + " and data.max_seq_len " + blockLength
                    + ": a batch cannot have more than 2^31 tokens; take a smaller one with"
                    + " gradient_accumulation_steps");
        }
    }

    private static Batch batch(Device device, int blocks, int length) {
        Tensor ids = Tensor.empty(device, DType.I32, Shape.of(blocks, length), MemoryCategory.ACTIVATIONS);
        Tensor targets = Tensor.empty(device, DType.I32, Shape.of(ids.size()), MemoryCategory.ACTIVATIONS);
        return new Batch(ids, targets, ids.size(), null, null);
    }

    /** Reads a checkpoint's optimiser state, as a resumed run does. */
    private static void restore(TrainingStep training, Device device) {
        try (Scope _ = Scope.open("restore")) {
            Map<String, Tensor> saved = new HashMap<>();
            training.state()
                    .forEach((name, tensor) -> saved.put(
                            name, Tensor.empty(device, tensor.dtype(), tensor.shape(), MemoryCategory.WORKSPACE)));
            training.load(saved);
        }
    }

    /** Buffers are named {@code <parameter>.<buffer>}; the count of steps is no tensor of the device. */
    private static Map<String, Long> optimizerState(TrainingStep training, Device device) {
        Map<String, Long> bytes = new TreeMap<>();
        training.state().forEach((name, tensor) -> {
            if (tensor.device().equals(device)) {
                bytes.merge(name.substring(name.lastIndexOf('.') + 1), tensor.byteSize(), Long::sum);
            }
        });
        return bytes;
    }

    /** The most bytes in use at once. */
    public long peakBytes() {
        return sum(atPeak);
    }

    /** The bytes that stay from step to step. */
    public long keptBytes() {
        return sum(kept);
    }

    /** The activations at the peak. */
    public long activationBytes() {
        return atPeak.getOrDefault(MemoryCategory.ACTIVATIONS, 0L);
    }

    /** Tokens in one forward pass. */
    public long tokens() {
        return (long) batchSize * blockLength;
    }

    /** Bytes that stay for each parameter: 16 of them for AdamW. What the size of the model does not decide is left out. */
    public double bytesPerParameter() {
        long activations = kept.getOrDefault(MemoryCategory.ACTIVATIONS, 0L);
        return (double) (keptBytes() - activations) / parameters;
    }

    private static long sum(Map<MemoryCategory, Long> bytes) {
        return bytes.values().stream().mapToLong(Long::longValue).sum();
    }
}
