package io.gradus.bench.report;

import io.gradus.bench.measure.Outcome;
import io.gradus.bench.measure.Peaks;
import io.gradus.bench.measure.Work;
import org.jspecify.annotations.Nullable;

/**
 * The result of a case.
 *
 * @param group the case's group
 * @param name the case's name within the group
 * @param threads number of threads of each side
 * @param outcome the medians
 * @param difference of the results, as defined by the case
 * @param work of one run, or null if it is not counted
 * @param peaks of the machine with this number of threads
 */
public record Result(
        String group,
        String name,
        int threads,
        Outcome outcome,
        double difference,
        @Nullable Work work,
        Peaks peaks) {

    /** Our speed in 10⁹ operations or bytes per second; NaN if the work is not counted. */
    public double rate() {
        return work == null ? Double.NaN : work.rate(outcome.ours());
    }

    /** Our speed as a share of the machine's peak; NaN if the work is not counted. */
    public double share() {
        return work == null ? Double.NaN : rate() / peaks.of(work.unit());
    }
}
