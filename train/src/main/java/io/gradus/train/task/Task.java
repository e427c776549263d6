package io.gradus.train.task;

import io.gradus.autograd.Variable;
import io.gradus.core.Device;
import io.gradus.data.Batches.Batch;
import io.gradus.data.Dataset;
import io.gradus.data.tokenizer.Tokenizer;
import io.gradus.nn.model.Head;
import io.gradus.nn.model.ModelConfig;
import io.gradus.nn.model.PretrainedModel;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;

/**
 * What one run trains. The run's loop, with accumulation, precision, several processes, checkpoints and guards, is the same for
 * all tasks.
 *
 * {@snippet :
 * Recipe recipe = Recipe.read(Path.of("recipe.yaml"));
 * FineTuning run = FineTuning.builder(recipe)
 *         .task(SequenceClassification::open) // or a class of your own that has a TaskSetting
 *         .build();
 * }
 */
public interface Task {

    /** Opens the task of a run. */
    @FunctionalInterface
    interface Factory {
        /**
         * Reads what must be known before the model is built, such as the labels.
         *
         * @throws IOException if data is missing or malformed
         */
        Task open(TaskSetting setting) throws IOException;
    }

    /** What the model computes. Weights of the head that the model to start from lacks are initialized. */
    Head head();

    /**
     * The largest batch, without elements, by which memory is planned.
     *
     * @param device that has no elements
     * @param rows at most
     * @param length the most tokens of a row
     */
    Batch largest(Device device, int rows, int length);

    /**
     * Reads the data.
     *
     * @param config of the model
     * @param length the most tokens of a row
     * @throws IOException if data is missing or malformed
     */
    Dataset dataset(Tokenizer tokenizer, ModelConfig config, int length) throws IOException;

    /**
     * The loss of a batch, summed over its targets.
     *
     * @param hiddenStates of the model
     * @return a scalar
     */
    Variable lossSum(PretrainedModel model, Variable hiddenStates, Batch batch);

    /**
     * What an evaluation keeps of a batch beside its loss; by default nothing. Called without recording gradients.
     *
     * @param hiddenStates of the model
     */
    default double[] observe(PretrainedModel model, Variable hiddenStates, Batch batch) {
        return new double[0];
    }

    /**
     * Scores an evaluation.
     *
     * @param observed what {@link #observe} has kept, in the order of the batches
     */
    default Scores score(List<double[]> observed) {
        return Scores.NONE;
    }

    /** The metrics of {@link #score} by which evaluations can be compared, and whether more is better. */
    default Map<String, Boolean> metrics() {
        return Map.of();
    }

    /**
     * Writes what belongs to the saved model beside its weights, its configuration and its tokenizer; by default nothing.
     *
     * @param length the most tokens of a row
     * @param heldOut scores of the saved weights
     */
    default void save(Path folder, int length, Scores heldOut) throws IOException {}

    /** What the data is, in lines, for a dry run. */
    default List<String> describe() {
        return List.of();
    }
}
