package io.gradus.train;

import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * What a fine-tuning run is told, as YAML. Every key, its meaning and its default stand in {@code recipe.yaml} beside this
 * class; a recipe names only what it changes.
 *
 * <pre>{@code
 * Recipe recipe = Recipe.parse("""
 *     model: {path: my-llama}
 *     data: {train: corpus.txt}
 *     output: my-llama-tuned
 *     steps: 300
 *     """);
 * }</pre>
 */
public record Recipe(
        Model model,
        Data data,
        @Nullable Path output,
        @Nullable Integer steps,
        @Nullable Double epochs,
        int batchSize,
        int gradientAccumulation,
        double learningRate,
        ScheduleKind schedule,
        double warmup,
        double floor,
        OptimizerKind optimizer,
        double weightDecay,
        double beta1,
        double beta2,
        double epsilon,
        double momentum,
        boolean nesterov,
        double maxGradNorm,
        int evaluateEvery,
        int evaluateBlocks,
        int checkpointEvery,
        int keepCheckpoints,
        boolean resume,
        boolean checkFirstLoss,
        Sample sample,
        long seed,
        String device,
        @Nullable Integer threads) {

    /** A part of the built-in text is enough to see what fine-tuning does, and takes about two minutes. */
    private static final double BUILT_IN_EPOCHS = 0.3;

    /** Which model. */
    public record Model(@Nullable Path path) {}

    /** Which text. */
    public record Data(
            @Nullable Path train,
            @Nullable Path eval,
            double heldOut,
            @Nullable Path general,
            @Nullable Integer blockLength) {}

    /** The samples before and after. */
    public record Sample(@Nullable String prompt, int maxTokens, double temperature) {}

    /** How the learning rate moves after the warm-up. */
    public enum ScheduleKind {
        COSINE,
        LINEAR,
        CONSTANT
    }

    /** Which optimiser. */
    public enum OptimizerKind {
        ADAMW,
        ADAM,
        SGD
    }

    public Recipe {
        require(steps == null || steps >= 1, "steps", steps, "at least 1");
        require(epochs == null || epochs > 0 && Double.isFinite(epochs), "epochs", epochs, "above 0");
        require(batchSize >= 1, "batch_size", batchSize, "at least 1");
        require(gradientAccumulation >= 1, "gradient_accumulation", gradientAccumulation, "at least 1");
        require(learningRate >= 0 && Double.isFinite(learningRate), "learning_rate", learningRate, "0 or more");
        require(warmup >= 0 && warmup < 1, "warmup", warmup, "a part of the steps, from 0 to below 1");
        require(floor >= 0 && floor <= 1, "floor", floor, "a part of the peak, from 0 to 1");
        require(weightDecay >= 0 && Double.isFinite(weightDecay), "weight_decay", weightDecay, "0 or more");
        require(beta1 >= 0 && beta1 < 1, "beta1", beta1, "from 0 to below 1");
        require(beta2 >= 0 && beta2 < 1, "beta2", beta2, "from 0 to below 1");
        require(epsilon > 0 && Double.isFinite(epsilon), "epsilon", epsilon, "above 0");
        require(momentum >= 0 && momentum < 1, "momentum", momentum, "from 0 to below 1");
        require(!nesterov || momentum > 0, "nesterov", nesterov, "false without momentum");
        require(maxGradNorm > 0, "max_grad_norm", maxGradNorm, "above 0; Infinity clips nothing");
        require(data.heldOut > 0 && data.heldOut < 1, "data.held_out", data.heldOut, "between 0 and 1");
        require(data.blockLength == null || data.blockLength >= 2, "data.block_length", data.blockLength, "at least 2");
        require(evaluateEvery >= 1, "evaluate_every", evaluateEvery, "at least 1");
        require(evaluateBlocks >= 1, "evaluate_blocks", evaluateBlocks, "at least 1");
        require(checkpointEvery >= 0, "checkpoint_every", checkpointEvery, "0 or more");
        require(keepCheckpoints >= 1, "keep_checkpoints", keepCheckpoints, "at least 1");
        require(sample.maxTokens >= 0, "sample.max_tokens", sample.maxTokens, "0 or more");
        require(
                sample.temperature >= 0 && Double.isFinite(sample.temperature),
                "sample.temperature",
                sample.temperature,
                "0 or more");
        require(device.equals("cpu") || device.equals("gpu"), "device", device, "cpu or gpu");
        require(threads == null || threads >= 1, "threads", threads, "at least 1");
        if (resume && output == null) {
            throw new RecipeException("resume needs output, the folder of the run to continue");
        }
        if (model.path != null && data.train == null) {
            throw new RecipeException("data.train is missing: name the text to fine-tune on, data.train=corpus.txt");
        }
    }

    private static void require(boolean condition, String key, @Nullable Object value, String wanted) {
        if (!condition) {
            throw new RecipeException(key + " is " + value + "; it must be " + wanted);
        }
    }

    /** How often the training text is read when {@link #steps} is null: as {@link #epochs} says, or the default. */
    double passes() {
        if (epochs != null) {
            return epochs;
        }
        return data.train == null ? BUILT_IN_EPOCHS : 1;
    }

    // ---- reading ----

    /** The defaults: the built-in model on the built-in text. */
    public static Recipe defaults() {
        return parse("");
    }

    /**
     * Reads a recipe.
     *
     * @param yaml the keys that differ from the defaults
     * @param overrides {@code key=value}, with dots between the levels of a key; the last word. The value is taken as it
     *     stands, without quotes or comments; {@code null} is the default
     * @throws RecipeException naming the key that is unknown or has no valid value
     */
    public static Recipe parse(String yaml, String... overrides) {
        return RecipeYaml.parse(yaml, overrides);
    }

    /**
     * {@link #parse(String, String...)} of a file.
     *
     * @throws IOException when the file cannot be read
     */
    public static Recipe read(Path file, String... overrides) throws IOException {
        if (!Files.isRegularFile(file)) {
            throw new IOException("recipe " + file + (Files.exists(file) ? " is not a file" : " is missing"));
        }
        try {
            return parse(Files.readString(file), overrides);
        } catch (CharacterCodingException e) {
            throw new IOException("recipe " + file + " is not UTF-8 text", e);
        }
    }

    /** {@code recipe.yaml}: every key with its default and a word on what it means. */
    public static String documentation() {
        try (InputStream yaml = Objects.requireNonNull(Recipe.class.getResourceAsStream("recipe.yaml"))) {
            return new String(yaml.readAllBytes(), StandardCharsets.UTF_8);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** All keys with their values, as YAML that {@link #parse} reads back. */
    public String toYaml() {
        return RecipeYaml.write(this);
    }

    /** All keys, with dots between their levels, and their values as text. */
    Map<String, String> toMap() {
        return RecipeYaml.flatten(this);
    }
}
