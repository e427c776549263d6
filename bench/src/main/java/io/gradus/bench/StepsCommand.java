package io.gradus.bench;

import com.sun.management.ThreadMXBean;
import io.gradus.bench.cases.GradusTraining;
import io.gradus.bench.cases.Network;
import io.gradus.bench.libtorch.LibTorch;
import io.gradus.bench.libtorch.TorchTraining;
import io.gradus.bench.measure.ProcessMemory;
import io.gradus.core.Device;
import io.gradus.core.MemoryLedger;
import java.io.IOException;
import java.io.PrintWriter;
import java.lang.management.ManagementFactory;
import java.util.Locale;
import java.util.Map;
import java.util.concurrent.Callable;
import java.util.function.DoubleSupplier;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;

/**
 * A few training steps of one engine alone, from a cold start: what each took, and the most memory that the process
 * had. The comparison runs it in processes of its own; it is as well the program to watch with a profiler.
 */
@Command(
        name = "steps",
        mixinStandardHelpOptions = true,
        description =
                "Trains for a few steps with one engine in this process: the time and the heap allocation of each,"
                        + " and peak memory.")
final class StepsCommand implements Callable<Integer> {
    /** What the last line begins with. */
    static final String PEAK = "peak bytes";

    private static final ThreadMXBean THREADS = (ThreadMXBean) ManagementFactory.getThreadMXBean();

    @Spec
    private CommandSpec spec;

    @Option(names = "--engine", defaultValue = "GRADUS", description = "GRADUS or LIBTORCH (${DEFAULT-VALUE}).")
    private Engine engine;

    @Option(names = "--network", defaultValue = "GPT2", description = "GPT2, LLAMA or STORIES260K (${DEFAULT-VALUE}).")
    private Network network;

    @Option(names = "--batch", defaultValue = "4", description = "Sequences (${DEFAULT-VALUE}).")
    private int batch;

    @Option(names = "--length", defaultValue = "64", description = "Tokens in each (${DEFAULT-VALUE}).")
    private int length;

    @Option(names = "--steps", defaultValue = "5", description = "How many (${DEFAULT-VALUE}).")
    private int steps;

    @Option(names = "--threads", defaultValue = "1", description = "How many (${DEFAULT-VALUE}).")
    private int threads;

    @Option(
            names = "--device",
            defaultValue = "cpu",
            description = "cpu; for GRADUS also gpu, or meta, which computes nothing: what is left is the cost of the"
                    + " graph and of the loop (${DEFAULT-VALUE}).")
    private String device;

    @Override
    public Integer call() throws IOException {
        switch (engine) {
            case GRADUS -> {
                Device on = switch (device) {
                    case "cpu" -> Device.cpu(threads);
                    case "gpu" -> Device.gpu();
                    case "meta" -> Device.meta();
                    default ->
                        throw new ParameterException(
                                spec.commandLine(), "--device: '" + device + "' is none of cpu, gpu, meta");
                };
                GradusTraining training = network.train(on, batch, length);
                run(training::step, on);
                report(on.backend().memory());
            }
            case LIBTORCH -> {
                LibTorch.load();
                LibTorch.setThreads(threads);
                try (TorchTraining training = network.trainWithLibTorch(batch, length)) {
                    run(training::step, Device.cpu());
                }
            }
        }
        return 0;
    }

    /** What the device counts is told by its difference. */
    private void run(DoubleSupplier step, Device device) throws IOException {
        PrintWriter out = spec.commandLine().getOut();
        Map<String, Double> before = device.backend().counters();
        for (int i = 1; i <= steps; i++) {
            long heap = THREADS.getTotalThreadAllocatedBytes();
            long start = System.nanoTime();
            double loss = step.getAsDouble();
            double seconds = (System.nanoTime() - start) * 1e-9;
            long allocated = THREADS.getTotalThreadAllocatedBytes() - heap;
            out.printf(Locale.ROOT, "step %d loss %.5f heap bytes %d seconds %.4f", i, loss, allocated, seconds);
            Map<String, Double> counters = device.backend().counters();
            for (Map.Entry<String, Double> counter : counters.entrySet()) {
                double change = counter.getValue() - before.getOrDefault(counter.getKey(), 0.0);
                out.printf(
                        Locale.ROOT, change == Math.rint(change) ? " %s %.0f" : " %s %.4f", counter.getKey(), change);
            }
            before = counters;
            out.println();
            out.flush();
        }
        out.println(PEAK + " " + ProcessMemory.peakBytes());
    }

    /** What was outside the Java heap, and what for. */
    private void report(MemoryLedger memory) {
        PrintWriter out = spec.commandLine().getOut();
        out.println("of them tensors " + memory.peak());
        memory.atPeak().forEach((category, bytes) -> out.println("  " + category + " " + bytes));
    }
}
