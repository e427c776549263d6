package io.gradus.bench.jmh;

import io.gradus.bench.measure.Peaks;
import io.gradus.bench.measure.Work;
import io.gradus.bench.report.Numbers;
import io.gradus.bench.report.Report;
import io.gradus.bench.report.Table;
import java.io.PrintWriter;
import java.util.concurrent.Callable;
import org.openjdk.jmh.results.RunResult;
import org.openjdk.jmh.runner.Runner;
import org.openjdk.jmh.runner.RunnerException;
import org.openjdk.jmh.runner.options.Options;
import org.openjdk.jmh.runner.options.OptionsBuilder;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/** Runs {@link Kernels} under JMH and compares the results with the machine's peaks. */
@Command(
        name = "jmh",
        mixinStandardHelpOptions = true,
        description = "Runs single kernels of Gradus under JMH and compares them with the machine's peaks.")
public final class JmhCommand implements Callable<Integer> {
    @Spec
    private CommandSpec spec;

    @Option(names = "--threads", defaultValue = "1", description = "Threads per kernel (${DEFAULT-VALUE}).")
    private int threads;

    @Parameters(
            paramLabel = "NAME",
            defaultValue = ".*",
            description = "A regular expression that selects from gemm, adamW, geluTanh and layerNorm.")
    private String name;

    @Override
    public Integer call() throws RunnerException {
        PrintWriter out = spec.commandLine().getOut();
        Peaks peaks = Peaks.measure(threads);
        Options options = new OptionsBuilder()
                .include(Kernels.class.getName() + "." + name)
                .param("threads", Integer.toString(threads))
                .shouldFailOnError(true)
                .build();
        Table table = new Table("kernel", "µs", "±", "rate", "", "of peak");
        for (RunResult result : new Runner(options).run()) {
            double micros = result.getPrimaryResult().getScore();
            Work work = work(result.getPrimaryResult().getLabel());
            double rate = work.rate(micros * 1e-6);
            table.row(
                    result.getPrimaryResult().getLabel(),
                    Numbers.fixed(micros, 1),
                    Numbers.fixed(result.getPrimaryResult().getScoreError(), 1),
                    Numbers.rate(rate),
                    work.unit().rate(),
                    Numbers.percent(rate / peaks.of(work.unit())));
        }
        out.println();
        out.print(Report.peaks(threads, peaks));
        out.print(table.text());
        out.flush();
        return 0;
    }

    private static Work work(String benchmark) {
        return switch (benchmark) {
            case "gemm" -> Work.flops(2.0 * Kernels.SQUARE * Kernels.SQUARE * Kernels.SQUARE);
            case "adamW" -> Work.bytes(28.0 * Kernels.WEIGHTS);
            case "geluTanh" -> Work.bytes(8.0 * Kernels.ROWS * 4 * Kernels.WIDTH);
            case "layerNorm" -> Work.bytes(8.0 * Kernels.ROWS * Kernels.WIDTH);
            default -> throw new IllegalArgumentException("jmh: the work of " + benchmark + " is not defined");
        };
    }
}
