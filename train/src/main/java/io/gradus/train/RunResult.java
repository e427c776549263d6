package io.gradus.train;

import io.gradus.core.MemoryCategory;
import io.gradus.train.task.Scores;
import java.nio.file.Path;
import java.util.Map;
import java.util.OptionalLong;

/**
 * Result of a fine-tuning run.
 *
 * @param output the folder with the trained model
 * @param steps the number of steps
 * @param before losses before the first step, by text
 * @param after losses of the saved weights, by text
 * @param bestStep the step of the best evaluation; 0 is before the first step
 * @param bestLoss the lowest held-out loss, or the best value of the recipe's {@code metric_for_best_model}
 * @param savedStep the step of the saved weights: the last, or the best if the recipe asks for it
 * @param skipped the number of skipped steps (loss spikes, or gradients that overflowed in F16)
 * @param peakBytes peak memory of tensors, by category
 * @param processBytes the most memory that the process has taken since it started; empty where the system does not tell, as
 *     outside Linux
 * @param scores of the saved weights, by text; {@link Scores#NONE} for language models
 */
public record RunResult(
        Path output,
        int steps,
        Map<String, Double> before,
        Map<String, Double> after,
        int bestStep,
        double bestLoss,
        int savedStep,
        int skipped,
        Map<MemoryCategory, Long> peakBytes,
        OptionalLong processBytes,
        Map<String, Scores> scores) {

    /** The result of a language model. */
    public RunResult(
            Path output,
            int steps,
            Map<String, Double> before,
            Map<String, Double> after,
            int bestStep,
            double bestLoss,
            int savedStep,
            int skipped,
            Map<MemoryCategory, Long> peakBytes,
            OptionalLong processBytes) {
        this(output, steps, before, after, bestStep, bestLoss, savedStep, skipped, peakBytes, processBytes, Map.of());
    }
}
