package io.gradus.train;

import io.gradus.data.BatchSource;
import io.gradus.data.Batches;
import io.gradus.data.MaskedBatches;
import io.gradus.data.PaddedBatches;
import io.gradus.data.chat.ChatTemplate;
import io.gradus.data.tokenizer.Tokenizer;
import io.gradus.train.guard.TrainingException;
import io.gradus.train.memory.MemoryPlan;
import io.gradus.train.recipe.RecipeException;
import java.io.IOException;
import java.util.List;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * What a run would train on, and in what memory and time, without training.
 *
 * @param batches of the run, from the first: {@link Batches} of a language model, or {@link PaddedBatches} of examples
 * @param task lines about the data of the task; none for a language model
 * @param chatTemplate the name of the template of the chats, and where it comes from; empty if there are none
 * @param memory that the run would take
 * @param steps of the run
 * @param secondsPerStep measured with a learning rate of 0; NaN when the step failed
 * @param failure why the step failed; null when it did not
 */
public record DryRun(
        Tokenizer tokenizer,
        BatchSource batches,
        List<String> task,
        Optional<String> chatTemplate,
        MemoryPlan memory,
        int steps,
        double secondsPerStep,
        @Nullable String failure) {

    /**
     * Loads what the run needs, makes two steps at a learning rate of 0, and writes nothing.
     *
     * @throws TrainingException if the loss is NaN or infinite; names the weight or the layer
     * @throws RecipeException when the recipe does not fit the model, the text or the memory
     */
    public static DryRun of(FineTuning run) throws IOException {
        TrainingSetup setup = run.setup(false);
        BatchSource training = setup.data().training();
        BatchSource batches = training instanceof MaskedBatches masked ? masked.rows() : training;
        if (!(batches instanceof Batches || batches instanceof PaddedBatches)) {
            throw new IllegalStateException(
                    "a dry run shows text; it needs a dataset whose training() is of class Batches"
                            + ", PaddedBatches or MaskedBatches");
        }
        TrainingState state = run.state(setup);
        state.begin(setup::general);
        double seconds = Double.NaN;
        String failure = null;
        try {
            for (int i = 0; i < 2; i++) { // the first one also compiles
                long start = System.nanoTime();
                FineTuning.step(state, 0, setup::batch, 0, loss -> {
                    FineTuning.requireFinite(loss, state, 0, setup::batch);
                    return Optional.empty();
                });
                seconds = (System.nanoTime() - start) / 1e9;
            }
        } catch (ArithmeticException e) {
            seconds = Double.NaN;
            failure = e.getMessage();
        }
        return new DryRun(
                setup.tokenizer(),
                batches,
                setup.task().describe(),
                setup.data().chatTemplate().map(ChatTemplate::toString),
                setup.memory(),
                setup.steps(),
                seconds,
                failure);
    }
}
