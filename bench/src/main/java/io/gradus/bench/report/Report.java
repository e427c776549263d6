package io.gradus.bench.report;

import static io.gradus.bench.report.Numbers.fixed;
import static io.gradus.bench.report.Numbers.gigabytes;
import static io.gradus.bench.report.Numbers.millis;
import static io.gradus.bench.report.Numbers.percent;
import static io.gradus.bench.report.Numbers.rate;
import static io.gradus.bench.report.Numbers.ratio;

import io.gradus.bench.measure.Medians;
import io.gradus.bench.measure.Outcome;
import io.gradus.bench.measure.Peaks;
import java.util.List;

/** The printed tables, at most 80 columns wide. */
public final class Report {
    private Report() {}

    /** The results of one group with one number of threads. */
    public static String group(String title, List<Result> results) {
        String unit = results.stream()
                .flatMap(result -> java.util.stream.Stream.ofNullable(result.work()))
                .findFirst()
                .map(work -> work.unit().rate())
                .orElse("");
        boolean counted = !unit.isEmpty();
        Table table = counted
                ? new Table("", "ours ms", "torch ms", "ratio", unit, "peak", "quiet", "differ")
                : new Table("", "ours ms", "torch ms", "ratio", "quiet", "differ");
        for (Result result : results) {
            Outcome o = result.outcome();
            String quiet = o.quietPairs() + "/" + o.pairs();
            String differ = String.format(java.util.Locale.ROOT, "%.0e", result.difference());
            if (counted) {
                table.row(
                        result.name(),
                        millis(o.ours()),
                        millis(o.theirs()),
                        ratio(o.ratio()),
                        rate(result.rate()),
                        percent(result.share()),
                        quiet,
                        differ);
            } else {
                table.row(result.name(), millis(o.ours()), millis(o.theirs()), ratio(o.ratio()), quiet, differ);
            }
        }
        double[] ratios = results.stream().mapToDouble(r -> r.outcome().ratio()).toArray();
        String summary = results.size() < 2
                ? ""
                : "median " + ratio(Medians.of(ratios)) + ", slowest "
                        + ratio(java.util.Arrays.stream(ratios).min().orElseThrow()) + "\n";
        return title + "\n" + table.text() + summary;
    }

    /** The peaks of the machine, as a line. */
    public static String peaks(int threads, Peaks peaks) {
        return threads + (threads == 1 ? " thread: " : " threads: ") + "peak " + fixed(peaks.gigaFlops(), 0)
                + " GFLOP/s, memory " + fixed(peaks.gigaBytes(), 1) + " GB/s (triad "
                + fixed(peaks.triadGigaBytes(), 1) + ")\n";
    }

    /** The peak memory of each side. */
    public static String memory(String name, Outcome outcome) {
        Table table = new Table("peak memory (VmHWM)", "ours", "libtorch", "ratio");
        table.row(name, gigabytes(outcome.ours()), gigabytes(outcome.theirs()), ratio(outcome.ratio()));
        return table.text();
    }

    /** Every target for which there are results, and whether it is met. */
    public static String summary(List<Result> results) {
        List<Target.Verdict> verdicts = Target.judge(results);
        if (verdicts.isEmpty()) {
            return "";
        }
        Table table = new Table("libtorch time / our time", "threads", "target", "measured", "");
        for (Target.Verdict verdict : verdicts) {
            table.row(
                    verdict.target().name(),
                    Integer.toString(verdict.threads()),
                    "≥ " + fixed(verdict.target().minimum(), 2),
                    fixed(verdict.value(), 2),
                    verdict.isMet() ? "met" : "MISSED");
        }
        long disturbed = results.stream()
                .filter(result -> result.outcome().isDisturbed())
                .count();
        String note = disturbed == 0
                ? ""
                : disturbed + " of " + results.size()
                        + " cases had too few quiet samples, in which others used less than\n"
                        + "10% of the CPU time; their figures are unreliable.\n";
        return table.text() + note;
    }
}
