package io.gradus.bench.measure;

import java.lang.management.CompilationMXBean;
import java.lang.management.ManagementFactory;
import java.util.ArrayList;
import java.util.List;

/**
 * Times two contenders in one process in turns: ours, theirs, theirs, ours, … A sample consists of enough runs for the resolution
 * of the clock and of {@link CpuLoad}. A pause between samples lets the other side's threads go to sleep: OpenMP threads spin for
 * some milliseconds after their last work, which would slow down the next sample.
 */
public final class Contest {
    private static final long PAUSE_MILLIS = 15;
    /** A sample with a larger share is disturbed. */
    static final double MAXIMUM_FOREIGN_SHARE = 0.10;
    /** With fewer undisturbed samples than this, the median includes disturbed ones. */
    static final int FEWEST_PAIRS = 3;

    private static final CompilationMXBean COMPILER = ManagementFactory.getCompilationMXBean();

    private final Budget budget;

    /**
     * Limits of a measurement.
     *
     * @param pairs number of undisturbed samples to take from each side
     * @param sampleSeconds minimum duration of a sample
     * @param warmUpSeconds maximum duration of the warmup of each side
     * @param seconds maximum duration if samples are disturbed; at least three samples are taken
     */
    public record Budget(int pairs, double sampleSeconds, double warmUpSeconds, double seconds) {}

    /** A sample of each side, in seconds per run. */
    record Pair(double ours, double theirs, boolean quiet) {}

    public Contest(Budget budget) {
        this.budget = budget;
    }

    /** Warms up both sides and measures them. */
    public Outcome run(Runnable ours, Runnable theirs) {
        double oursWarm = warmUp(ours);
        double theirsWarm = warmUp(theirs);
        int oursRuns = runs(oursWarm);
        int theirsRuns = runs(theirsWarm);
        List<Pair> pairs = new ArrayList<>();
        long quiet = 0;
        long start = System.nanoTime();
        while (quiet < budget.pairs && (pairs.size() < FEWEST_PAIRS || seconds(start) < budget.seconds)) {
            boolean oursFirst = pairs.size() % 2 == 0;
            Sample first = sample(oursFirst ? ours : theirs, oursFirst ? oursRuns : theirsRuns);
            Sample second = sample(oursFirst ? theirs : ours, oursFirst ? theirsRuns : oursRuns);
            boolean undisturbed = first.quiet && second.quiet;
            pairs.add(new Pair(
                    oursFirst ? first.seconds : second.seconds,
                    oursFirst ? second.seconds : first.seconds,
                    undisturbed));
            quiet += undisturbed ? 1 : 0;
        }
        return outcome(pairs);
    }

    /** The medians of the undisturbed samples, or of all samples if too few are undisturbed. */
    static Outcome outcome(List<Pair> pairs) {
        List<Pair> quiet = pairs.stream().filter(Pair::quiet).toList();
        List<Pair> counted = quiet.size() >= FEWEST_PAIRS ? quiet : pairs;
        return new Outcome(
                Medians.of(counted.stream().mapToDouble(Pair::ours).toArray()),
                Medians.of(counted.stream().mapToDouble(Pair::theirs).toArray()),
                Medians.of(counted.stream()
                        .mapToDouble(pair -> pair.theirs / pair.ours)
                        .toArray()),
                pairs.size(),
                quiet.size());
    }

    private record Sample(double seconds, boolean quiet) {}

    private static Sample sample(Runnable work, int runs) {
        pause();
        CpuLoad load = CpuLoad.start();
        double seconds = time(work, runs);
        return new Sample(seconds, load.foreignShare() <= MAXIMUM_FOREIGN_SHARE);
    }

    private int runs(double seconds) {
        return Math.max(1, (int) Math.round(budget.sampleSeconds / seconds));
    }

    /**
     * Runs until the speed is stable: four consecutive windows without JIT compilation, none of which is 3% faster than the best.
     * The C2 compiler works in the background, so the time drops some windows after the start.
     *
     * @return the shortest time in seconds per run
     */
    private double warmUp(Runnable work) {
        double best = time(work, 1);
        int settled = 0;
        long start = System.nanoTime();
        while (settled < 4 && seconds(start) < budget.warmUpSeconds) {
            int runs = (int) Math.clamp(budget.warmUpSeconds / 20 / best, 1, 100_000);
            long compiled = COMPILER.getTotalCompilationTime();
            double seconds = time(work, runs);
            boolean moving = seconds < 0.97 * best || COMPILER.getTotalCompilationTime() > compiled;
            settled = moving ? 0 : settled + 1;
            best = Math.min(best, seconds);
        }
        return best;
    }

    /** The average time of some runs in seconds. */
    private static double time(Runnable work, int runs) {
        long start = System.nanoTime();
        for (int i = 0; i < runs; i++) {
            work.run();
        }
        return seconds(start) / runs;
    }

    private static double seconds(long startNanos) {
        return Math.max(1, System.nanoTime() - startNanos) * 1e-9;
    }

    private static void pause() {
        try {
            Thread.sleep(PAUSE_MILLIS);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new IllegalStateException("the measurement was interrupted", e);
        }
    }
}
