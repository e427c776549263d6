package io.gradus.bench.report;

import io.gradus.bench.measure.Outcome;
import io.gradus.bench.measure.Peaks;
import io.gradus.bench.measure.Work;

/** Results for tests. */
final class Results {
    static final Peaks PEAKS = new Peaks(300, 20, 25);

    private Results() {}

    /** A result with a time of one second on our side. */
    static Result of(String group, String name, int threads, double ratio) {
        return new Result(group, name, threads, new Outcome(1, ratio, ratio, 5, 5), 1e-7, Work.bytes(20e9), PEAKS);
    }
}
