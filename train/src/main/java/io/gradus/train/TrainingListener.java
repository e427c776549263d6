package io.gradus.train;

import io.gradus.parallel.CommunicationTime;
import io.gradus.train.memory.MemoryPlan;
import io.gradus.train.recipe.Recipe;
import io.gradus.train.task.Scores;
import java.nio.file.Path;

/** Receives events from a training run. All methods are no-ops by default. */
public interface TrainingListener {

    /** Called when a stage that may take long begins or advances, also before {@link #started}. */
    default void progressed(Progress progress) {}

    /** Called when everything is loaded and checked, before the first step. */
    default void started(Plan plan) {}

    /** Called after each optimizer step. */
    default void stepped(Step step) {}

    /** Called when a step was skipped; weights and moments are unchanged. */
    default void skipped(Skipped skipped) {}

    /** Called for each evaluated text. */
    default void evaluated(Evaluation evaluation) {}

    /** Called with a generated sample, before the first and after the last step. */
    default void sampled(Sample sample) {}

    /** Called when a checkpoint is complete. */
    default void checkpointed(Path folder) {}

    /** Called when the trained model is saved. */
    default void finished(RunResult result) {}

    /**
     * Called when a run that has started ends without a trained model.
     *
     * @param reason the exception that the run throws, a {@link StoppedException} if it was told to stop
     */
    default void failed(Exception reason) {}

    /**
     * The progress of a stage.
     *
     * @param stage what the run does, such as {@code loading the model}
     * @param done the parts of the stage that are done
     * @param total all parts of the stage; 0 if their number is unknown
     */
    record Progress(String stage, long done, long total) {}

    /**
     * The plan of a run.
     *
     * @param recipe of the run
     * @param output the folder to write
     * @param memory the memory plan, with the number of parameters
     * @param trained the number of trained elements: all but the frozen ones
     * @param trainingTokens tokens in one pass over the training text, prompts included
     * @param epochs passes over the training text in all steps
     * @param firstStep 0, or the step at which a resumed run continues
     * @param steps of the whole run
     * @param device a description of the device
     */
    record Plan(
            Recipe recipe,
            Path output,
            MemoryPlan memory,
            long trained,
            long trainingTokens,
            double epochs,
            int firstStep,
            int steps,
            String device) {

        /** Whether every parameter is trained. */
        public boolean trainsAll() {
            return trained == memory.parameters();
        }
    }

    /**
     * One optimizer step.
     *
     * @param step counted from 1
     * @param loss the mean over the targets of the step before the update, in nats
     * @param learningRate the learning rate of the update
     * @param gradientNorm before clipping
     * @param tokens the number of targets
     * @param seconds the duration
     * @param communication with other processes; {@link CommunicationTime#NONE} for one process
     */
    record Step(
            int step,
            double loss,
            double learningRate,
            double gradientNorm,
            long tokens,
            double seconds,
            CommunicationTime communication) {

        /** A step of one process. */
        public Step(int step, double loss, double learningRate, double gradientNorm, long tokens, double seconds) {
            this(step, loss, learningRate, gradientNorm, tokens, seconds, CommunicationTime.NONE);
        }
    }

    /**
     * A skipped step.
     *
     * @param step counted from 1
     * @param loss the mean over the targets, in nats; may be NaN or infinite
     * @param reason why the step was skipped
     */
    record Skipped(int step, double loss, String reason) {}

    /**
     * The loss on a text.
     *
     * @param step steps completed so far
     * @param name {@code held_out} or {@code general}
     * @param loss the mean over the targets, in nats
     * @param scores of the task, such as the accuracy; {@link Scores#NONE} for language models
     */
    record Evaluation(int step, String name, double loss, Scores scores) {

        /** The loss alone. */
        public Evaluation(int step, String name, double loss) {
            this(step, name, loss, Scores.NONE);
        }
    }

    /**
     * A generated text.
     *
     * @param step steps completed so far
     * @param prompt the beginning
     * @param text the continuation
     */
    record Sample(int step, String prompt, String text) {}
}
