package io.gradus.train;

import io.gradus.core.MemoryCategory;
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
 * @param bestStep the step after which the held-out loss was lowest; 0 is before the first step
 * @param bestLoss the lowest held-out loss
 * @param savedStep the step of the saved weights: the last, or the best if the recipe asks for it
 * @param skipped the number of skipped steps (loss spikes, or gradients that overflowed in F16)
 * @param peakBytes peak memory of tensors, by category
 * @param processBytes the most memory that the process has taken since it started; empty where the system does not tell, as
 *     outside Linux
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
        OptionalLong processBytes) {}
