package io.gradus.train;

import io.gradus.data.Batches;
import io.gradus.data.tokenizer.Tokenizer;
import io.gradus.train.memory.MemoryPlan;
import java.io.IOException;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * What a run would train on, and in what memory and time, without training.
 *
 * @param batches of the run, from the first
 * @param memory that the run would take
 * @param steps of the run
 * @param secondsPerStep measured with a learning rate of 0; NaN when the step failed
 * @param failure why the step failed; null when it did not
 */
public record DryRun(
        Tokenizer tokenizer,
        Batches batches,
        MemoryPlan memory,
        int steps,
        double secondsPerStep,
        @Nullable String failure) {

    /**
     * Loads what the run needs, makes two steps at a learning rate of 0, and writes nothing.
     *
     * @throws RecipeException when the recipe does not fit the model, the text or the memory
     */
    public static DryRun of(FineTuning run) throws IOException {
        Prepared prepared = run.prepare(false);
        TrainingStep training = new TrainingStep(run.recipe(), prepared.model());
        training.begin(prepared::known);
        double seconds = Double.NaN;
        String failure = null;
        try {
            for (int i = 0; i < 2; i++) { // the first one also compiles
                long start = System.nanoTime();
                training.step(
                        0,
                        index ->
                                prepared.batches().batch(index, prepared.model().device()),
                        0,
                        _ -> Optional.empty());
                seconds = (System.nanoTime() - start) / 1e9;
            }
        } catch (ArithmeticException e) {
            seconds = Double.NaN;
            failure = e.getMessage();
        }
        return new DryRun(
                prepared.tokenizer(), prepared.batches(), prepared.memory(), prepared.steps(), seconds, failure);
    }
}
