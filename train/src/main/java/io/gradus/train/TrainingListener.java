package io.gradus.train;

import io.gradus.train.memory.MemoryPlan;
import io.gradus.train.recipe.Recipe;
import java.nio.file.Path;

/** Is told what happens in a run. Every method does nothing unless overridden. */
public interface TrainingListener {

    /** Everything is loaded and checked; the first step comes next. */
    default void started(Plan plan) {}

    /** A step was made. */
    default void stepped(Step step) {}

    /** A step was not made; weights and moments are as they were. */
    default void skipped(Skipped skipped) {}

    /** A text that the model had not seen was evaluated. */
    default void evaluated(Evaluation evaluation) {}

    /** The model wrote something; before the first and after the last step. */
    default void sampled(Sample sample) {}

    /** A checkpoint is complete. */
    default void checkpointed(Path folder) {}

    /** The trained model is written. */
    default void finished(RunResult result) {}

    /**
     * What will be done.
     *
     * @param recipe that was given
     * @param output the folder that will be written
     * @param memory how many parameters there are, and what training takes
     * @param trained how many of them are trained: all but the frozen ones
     * @param trainingTokens in one pass over the training text
     * @param firstStep 0, or where a resumed run goes on
     * @param steps in all
     * @param device a line about it
     */
    record Plan(
            Recipe recipe,
            Path output,
            MemoryPlan memory,
            long trained,
            long trainingTokens,
            int firstStep,
            int steps,
            String device) {

        /** Whether no parameter stays as it is. */
        public boolean trainsAll() {
            return trained == memory.parameters();
        }
    }

    /**
     * One optimiser step.
     *
     * @param step counted from 1
     * @param loss the mean over the tokens of the step, in nats, before the update
     * @param learningRate of the update
     * @param gradientNorm before clipping
     * @param tokens that counted
     * @param seconds that it took
     */
    record Step(int step, double loss, double learningRate, double gradientNorm, long tokens, double seconds) {}

    /**
     * A step that was not made.
     *
     * @param step counted from 1
     * @param loss the mean over the tokens, in nats; may be anything, NaN included
     * @param reason what was wrong with it
     */
    record Skipped(int step, double loss, String reason) {}

    /**
     * The loss on a text.
     *
     * @param step steps made so far
     * @param name {@code held_out} or {@code general}
     * @param loss the mean over the tokens, in nats
     */
    record Evaluation(int step, String name, double loss) {}

    /**
     * A text that the model wrote.
     *
     * @param step steps made so far
     * @param prompt what it began with
     * @param text what it wrote on
     */
    record Sample(int step, String prompt, String text) {}
}
