package io.gradus.train;

import io.gradus.core.MemoryCategory;
import java.nio.file.Path;
import java.util.Map;

/**
 * Result of a fine-tuning run.
 *
 * @param output the folder with the trained model
 * @param steps made in all
 * @param before losses before the first step, by the name of the text
 * @param after losses of the weights that are saved
 * @param bestStep after which the held-out loss was lowest; 0 when it was so before the first
 * @param bestLoss that lowest held-out loss
 * @param savedStep after which the saved weights were: the last, or the best where the recipe asks for it
 * @param skipped steps that were skipped, because their loss was a spike or a gradient too large for F16
 * @param peakBytes the most memory in use at once, by category
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
        Map<MemoryCategory, Long> peakBytes) {}
