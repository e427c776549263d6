package io.gradus.bench.report;

import io.gradus.bench.measure.Outcome;
import io.gradus.bench.measure.Peaks;
import io.gradus.bench.measure.Work;
import org.jspecify.annotations.Nullable;

/**
 * A case that was measured.
 *
 * @param group it belongs to
 * @param name within the group
 * @param threads on each side
 * @param outcome the medians
 * @param difference of the results, as the case defines it
 * @param work what one run does, where that is known
 * @param peaks of the machine with so many threads
 */
public record Result(
        String group,
        String name,
        int threads,
        Outcome outcome,
        double difference,
        @Nullable Work work,
        Peaks peaks) {

    /** Our speed in 10⁹ operations or bytes a second; NaN where the work is not counted. */
    public double rate() {
        return work == null ? Double.NaN : work.rate(outcome.ours());
    }

    /** Our speed as a share of the machine's; NaN where the work is not counted. */
    public double share() {
        return work == null ? Double.NaN : rate() / peaks.of(work.unit());
    }
}
