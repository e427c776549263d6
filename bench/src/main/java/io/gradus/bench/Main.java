package io.gradus.bench;

import io.gradus.bench.cases.AdamWCases;
import io.gradus.bench.cases.AttentionCases;
import io.gradus.bench.cases.CrossEntropyCases;
import io.gradus.bench.cases.ElementwiseCases;
import io.gradus.bench.cases.GemmCases;
import io.gradus.bench.cases.Group;
import io.gradus.bench.cases.Network;
import io.gradus.bench.cases.NormCases;
import io.gradus.bench.cases.Precision;
import io.gradus.bench.cases.SoftmaxCases;
import io.gradus.bench.cases.TrainingStepCases;
import io.gradus.bench.cases.TrainingStepCases.Batch;
import io.gradus.bench.jmh.JmhCommand;
import io.gradus.bench.libtorch.LibTorch;
import io.gradus.bench.measure.Machine;
import io.gradus.bench.measure.Peaks;
import io.gradus.bench.report.History;
import io.gradus.bench.report.Report;
import io.gradus.bench.report.Result;
import java.io.IOException;
import java.io.PrintWriter;
import java.nio.file.Path;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.concurrent.Callable;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;

/**
 * {@code gradus bench}. Exit codes: 0 if everything was measured, 1 after an error, 2 for wrong usage. A missed target does not
 * change the exit code.
 */
@Command(
        name = "gradus bench",
        mixinStandardHelpOptions = true,
        sortOptions = false,
        description = {
            "Compares Gradus with libtorch: the same work on the same numbers in one process, in turns.",
            "A ratio is libtorch's time divided by ours: above 1, Gradus is faster."
        },
        footer = {
            "",
            "A sample is quiet if other processes used less than 10%% of the CPU time. A complete run takes one"
                    + " to two hours, --quick about half an hour.",
            "",
            "Examples:",
            "  gradus bench",
            "  gradus bench --threads 2 --only gemm,gpt2 --quick --no-history",
            "  gradus bench steps --engine GRADUS --steps 20",
            "  gradus bench jmh"
        },
        subcommands = {StepsCommand.class, GenerationCommand.class, JmhCommand.class})
public final class Main implements Callable<Integer> {
    private static final String MEMORY = "memory";
    private static final String WARM_UP = "warm-up";
    private static final Batch USUAL = new Batch(4, 64);
    private static final Batch LONG = new Batch(1, 512);
    private static final Batch LARGE = new Batch(8, 256);
    private static final int MEMORY_STEPS = 5;
    private static final int WARM_UP_STEPS = 30;

    private static final List<Group> GROUPS = List.of(
            new GemmCases(Precision.HIGHEST),
            new GemmCases(Precision.MEDIUM),
            new GemmCases(Precision.HIGH),
            new GemmCases(Precision.BF16),
            new ElementwiseCases(),
            new NormCases(),
            new SoftmaxCases(),
            new AttentionCases(),
            new CrossEntropyCases(),
            new AdamWCases(),
            new TrainingStepCases(Network.GPT2, Precision.HIGHEST, USUAL, LONG),
            new TrainingStepCases(Network.GPT2, Precision.HIGH, USUAL, LONG),
            new TrainingStepCases(Network.GPT2, Precision.MEDIUM, USUAL, LONG, LARGE),
            new TrainingStepCases(Network.GPT2, Precision.BF16, USUAL, LONG, LARGE),
            new TrainingStepCases(Network.LLAMA, Precision.HIGHEST, new Batch(4, 256)),
            new TrainingStepCases(Network.SMOLLM2, Precision.MEDIUM, new Batch(2, 256)),
            new TrainingStepCases(Network.SMOLLM2, Precision.BF16, new Batch(2, 256)));

    @Spec
    private CommandSpec spec;

    @Option(
            names = "--threads",
            split = ",",
            paramLabel = "N",
            description = "Threads for each side; one run per number (default: 1 and all processors).")
    private List<Integer> threads = List.of();

    @Option(
            names = "--only",
            split = ",",
            paramLabel = "GROUP",
            description = "Run only these groups: gemm, gemm-medium, gemm-high, gemm-bf16, elementwise, norms, softmax,"
                    + " attention, cross-entropy, adamw, gpt2, gpt2-high, gpt2-medium, gpt2-bf16, llama,"
                    + " smollm2-medium, smollm2-bf16, memory, warm-up.")
    private Set<String> only = Set.of();

    @Option(names = "--quick", description = "Fewer samples: for a first impression, not for the record.")
    private boolean quick;

    @Option(
            names = "--history",
            paramLabel = "FILE",
            description = "File to append a line with all results to (default: bench/history.jsonl in the sources).")
    private Path history = Path.of(System.getProperty("gradus.history", "bench/history.jsonl"));

    @Option(names = "--no-history", description = "Do not append to the history.")
    private boolean noHistory;

    public static void main(String[] args) {
        // Numbers have decimal points in every locale.
        java.util.Locale.setDefault(java.util.Locale.ROOT);
        CommandLine line = new CommandLine(new Main())
                .setCaseInsensitiveEnumValuesAllowed(true)
                .setUsageHelpAutoWidth(false)
                .setExecutionExceptionHandler((thrown, command, _) -> report(thrown, command));
        System.exit(line.execute(args));
    }

    private static int report(Exception thrown, CommandLine line) {
        boolean expected = thrown instanceof IOException
                || thrown instanceof IllegalStateException
                || thrown instanceof IllegalArgumentException;
        if (expected && thrown.getMessage() != null) {
            line.getErr().println(line.getColorScheme().errorText(thrown.getMessage()));
        } else {
            thrown.printStackTrace(line.getErr());
        }
        return CommandLine.ExitCode.SOFTWARE;
    }

    @Override
    public Integer call() throws IOException {
        checkOptions();
        PrintWriter out = spec.commandLine().getOut();
        String rival = LibTorch.load();
        Machine machine = Machine.here();
        out.println(machine.processor() + ", " + machine.processors() + " processors");
        out.println("JDK " + machine.jdk() + ", " + machine.system() + ", libtorch " + rival);
        Comparison comparison = new Comparison(out, Progress.of(spec), quick);
        Map<Integer, Peaks> peaks = new TreeMap<>();
        Map<Integer, Integer> warmUpSteps = new TreeMap<>();
        List<Result> results = new ArrayList<>();
        for (int count : threadCounts()) {
            peaks.put(count, Peaks.measure(count));
            out.println();
            out.print(Report.peaks(count, peaks.get(count)));
            out.flush();
        }
        // Measure a group with every number of threads before the next group, so that the state that earlier groups
        // leave
        // behind, such as free memory, is the same for each number.
        for (Group group : GROUPS) {
            if (wants(group.name())) {
                for (int count : threadCounts()) {
                    results.addAll(comparison.run(group, count, Objects.requireNonNull(peaks.get(count))));
                }
            }
        }
        for (int count : threadCounts()) {
            if (wants(MEMORY)) {
                for (Precision precision : List.of(Precision.HIGHEST, Precision.MEDIUM, Precision.BF16)) {
                    results.add(comparison.memory(
                            Network.GPT2,
                            precision,
                            USUAL,
                            MEMORY_STEPS,
                            count,
                            Objects.requireNonNull(peaks.get(count))));
                }
            }
            if (wants(WARM_UP)) {
                warmUpSteps.put(count, comparison.warmUp(Network.GPT2, USUAL, WARM_UP_STEPS, count));
            }
        }
        out.println();
        out.print(Report.summary(results));
        if (!noHistory) {
            History.append(history, new History.Run(Instant.now(), machine, rival, quick, peaks, results, warmUpSteps));
            out.println("Appended a line to " + history + ".");
        }
        out.flush();
        return CommandLine.ExitCode.OK;
    }

    private boolean wants(String group) {
        return only.isEmpty() || only.contains(group);
    }

    private Set<Integer> threadCounts() {
        return new TreeSet<>(threads.isEmpty() ? List.of(1, Runtime.getRuntime().availableProcessors()) : threads);
    }

    private void checkOptions() {
        Set<String> known = new TreeSet<>(GROUPS.stream().map(Group::name).toList());
        known.addAll(List.of(MEMORY, WARM_UP));
        for (String group : only) {
            if (!known.contains(group)) {
                throw new ParameterException(
                        spec.commandLine(), "--only: there is no group '" + group + "'; the groups are " + known);
            }
        }
        for (int count : threads) {
            if (count < 1) {
                throw new ParameterException(spec.commandLine(), "--threads: " + count + " is less than 1");
            }
        }
    }
}
