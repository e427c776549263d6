package io.gradus.train.task;

import io.gradus.core.DType;
import io.gradus.core.Device;
import io.gradus.core.MemoryCategory;
import io.gradus.core.Shape;
import io.gradus.core.Tensor;
import io.gradus.data.BatchSource;
import io.gradus.data.Dataset;
import io.gradus.data.PaddedBatches;
import io.gradus.data.tokenizer.EncodedText;
import io.gradus.nn.model.ModelConfig;
import io.gradus.train.recipe.Recipe;
import io.gradus.train.recipe.RecipeException;
import java.util.Arrays;
import java.util.Map;
import java.util.stream.Stream;

/** The batches of a task: shuffled ones to train on, and held-out ones in order. */
record TaskBatches(BatchSource training, Map<String, BatchSource> evaluation) implements Dataset {
    private static final String HELD_OUT = "held_out";

    /** Makes the batches of examples. */
    @FunctionalInterface
    interface Maker<T> {
        BatchSource make(T examples, PaddedBatches.Settings settings);
    }

    /**
     * Makes both.
     *
     * @param length the most tokens of a row
     * @param pad the token that fills rows; the last one of the vocabulary if that has fewer
     */
    static <T> TaskBatches of(
            Recipe recipe, ModelConfig config, int length, int pad, T training, T heldOut, Maker<T> maker) {
        int known = Math.min(pad, config.vocabSize() - 1);
        return new TaskBatches(
                maker.make(
                        training, new PaddedBatches.Settings(recipe.batchSize(), length, known, recipe.seed(), true)),
                Map.of(
                        HELD_OUT,
                        maker.make(heldOut, new PaddedBatches.Settings(recipe.batchSize(), length, known, 0, false))));
    }

    /** @throws RecipeException if a text has a token that the model does not have */
    static void requireKnown(Stream<EncodedText> texts, ModelConfig config) {
        int largest =
                texts.flatMapToInt(text -> Arrays.stream(text.ids())).max().orElse(0);
        if (largest >= config.vocabSize()) {
            throw new RecipeException("the text has the token " + largest + ", but the vocab_size of the model is "
                    + config.vocabSize() + "; the tokenizer belongs to another model");
        }
    }

    /** A tensor of the batch by which memory is planned. */
    static Tensor empty(Device device, DType dtype, Shape shape) {
        return Tensor.empty(device, dtype, shape, MemoryCategory.ACTIVATIONS);
    }

    /** {@link #empty} for tokens and classes. */
    static Tensor empty(Device device, Shape shape) {
        return empty(device, DType.I32, shape);
    }
}
