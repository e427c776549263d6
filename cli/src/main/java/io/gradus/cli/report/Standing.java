package io.gradus.cli.report;

import io.gradus.core.MemoryCategory;
import io.gradus.train.RunResult;
import io.gradus.train.task.Scores;
import java.util.Map;
import java.util.OptionalLong;

/**
 * How far a run has come.
 *
 * @param steps the number of completed steps, including those before it was resumed
 * @param savedStep the step whose weights are saved, or will be
 * @param skipped the number of skipped steps
 * @param after the losses of the saved model, by the name of the text; empty if there is no such model yet
 * @param peakBytes the measured peak memory; empty if it was not measured yet
 * @param processBytes the most memory that the process has taken; empty if it is not known
 * @param scores of the saved model, by the name of the text; empty if there are none
 * @param unfinished a sentence about a run that has not finished; empty if it has
 */
record Standing(
        int steps,
        int savedStep,
        int skipped,
        Map<String, Double> after,
        Map<MemoryCategory, Long> peakBytes,
        OptionalLong processBytes,
        Map<String, Scores> scores,
        String unfinished) {

    static Standing finished(RunResult result) {
        return new Standing(
                result.steps(),
                result.savedStep(),
                result.skipped(),
                result.after(),
                result.peakBytes(),
                result.processBytes(),
                result.scores(),
                "");
    }

    static Standing unfinished(int steps, int skipped, String sentence) {
        return new Standing(steps, steps, skipped, Map.of(), Map.of(), OptionalLong.empty(), Map.of(), sentence);
    }

    boolean isFinished() {
        return unfinished.isEmpty();
    }
}
