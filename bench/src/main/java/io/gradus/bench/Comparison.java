package io.gradus.bench;

import io.gradus.bench.cases.Case;
import io.gradus.bench.cases.Group;
import io.gradus.bench.cases.Network;
import io.gradus.bench.cases.Precision;
import io.gradus.bench.cases.TrainingStepCases;
import io.gradus.bench.cases.TrainingStepCases.Batch;
import io.gradus.bench.libtorch.LibTorch;
import io.gradus.bench.measure.Contest;
import io.gradus.bench.measure.Contest.Budget;
import io.gradus.bench.measure.Outcome;
import io.gradus.bench.measure.Peaks;
import io.gradus.bench.report.Numbers;
import io.gradus.bench.report.Report;
import io.gradus.bench.report.Result;
import io.gradus.core.Device;
import java.io.IOException;
import java.io.PrintWriter;
import java.util.ArrayList;
import java.util.List;

/** Measures groups and prints the results. */
final class Comparison {
    private static final Budget KERNELS = new Budget(9, 0.05, 6, 10);
    private static final Budget STEPS = new Budget(9, 0, 30, 60);
    private static final Budget QUICK_KERNELS = new Budget(5, 0.03, 3, 1);
    private static final Budget QUICK_STEPS = new Budget(3, 0, 10, 10);

    private final PrintWriter out;
    private final Progress progress;
    private final boolean quick;

    Comparison(PrintWriter out, Progress progress, boolean quick) {
        this.out = out;
        this.progress = progress;
        this.quick = quick;
    }

    /** Measures one group with a number of threads for each side. */
    List<Result> run(Group group, int threads, Peaks peaks) {
        LibTorch.setThreads(threads);
        boolean steps = group instanceof TrainingStepCases;
        Contest contest = new Contest(steps ? (quick ? QUICK_STEPS : STEPS) : quick ? QUICK_KERNELS : KERNELS);
        List<Result> results = new ArrayList<>();
        group.run(Device.cpu(threads), contender -> results.add(measure(group, contender, contest, threads, peaks)));
        progress.clear();
        out.println();
        out.print(Report.group(group.name() + ", " + threads + (threads == 1 ? " thread" : " threads"), results));
        if (group instanceof TrainingStepCases training) {
            for (Batch batch : training.batches()) {
                results.stream()
                        .filter(result -> result.name().equals(training.caseName(batch)))
                        .forEach(result -> out.println(speed(result, batch)));
            }
        }
        out.flush();
        return results;
    }

    private static String speed(Result result, Batch batch) {
        return result.name() + ": "
                + Numbers.fixed(batch.tokens() / result.outcome().ours(), 0) + " tokens/s with Gradus, "
                + Numbers.fixed(batch.tokens() / result.outcome().theirs(), 0) + " with libtorch";
    }

    private Result measure(Group group, Case contender, Contest contest, int threads, Peaks peaks) {
        progress.show(
                group.name() + ": " + contender.name() + ", " + threads + (threads == 1 ? " thread" : " threads"));
        double difference = contender.difference().getAsDouble();
        if (!(difference <= contender.tolerance())) {
            throw new IllegalStateException(group.name() + ": " + contender.name() + " with " + threads
                    + " threads: the results differ by " + difference + ", more than " + contender.tolerance()
                    + "; the two sides compute different things, so their times cannot be compared");
        }
        Outcome outcome = contest.run(contender.ours(), contender.theirs());
        return new Result(group.name(), contender.name(), threads, outcome, difference, contender.work(), peaks);
    }

    /** Measures the peak memory of a separate process for each engine during a few steps. The outcome holds bytes, not seconds. */
    Result memory(Network network, Precision precision, Batch batch, int steps, int threads, Peaks peaks)
            throws IOException {
        progress.show("peak memory of a training step");
        long ours = StepsProcess.run(Engine.GRADUS, network, precision, batch, steps, threads)
                .peakBytes();
        long theirs = StepsProcess.run(Engine.LIBTORCH, network, precision, batch, steps, threads)
                .peakBytes();
        Outcome outcome = new Outcome(ours, theirs, (double) theirs / ours, 1, 1);
        String name = precision.group("GPT-2") + " " + batch + ", " + steps + " steps";
        progress.clear();
        out.println();
        out.print(Report.memory(name, outcome));
        out.flush();
        return new Result("memory", name, threads, outcome, 0, null, peaks);
    }

    /** Returns the first step after a cold start that reaches 90% of the final speed. */
    int warmUp(Network network, Batch batch, int steps, int threads) throws IOException {
        progress.show("warm-up of a training step");
        StepsProcess process = StepsProcess.run(Engine.GRADUS, network, Precision.HIGHEST, batch, steps, threads);
        progress.clear();
        out.println();
        out.println("warm-up, GPT-2 " + batch + ", milliseconds of each step from a cold start:");
        StringBuilder line = new StringBuilder();
        for (double seconds : process.seconds()) {
            String millis = Numbers.fixed(seconds * 1e3, 0);
            if (line.length() + millis.length() + 1 > 79) {
                out.println(line);
                line.setLength(0);
            }
            line.append(line.isEmpty() ? "" : " ").append(millis);
        }
        out.println(line);
        out.println("90% of the final speed is reached at step " + process.firstStepAtSpeed() + ".");
        out.flush();
        return process.firstStepAtSpeed();
    }
}
