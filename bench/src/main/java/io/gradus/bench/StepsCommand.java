package io.gradus.bench;

import com.sun.management.ThreadMXBean;
import io.gradus.bench.cases.GradusTraining;
import io.gradus.bench.cases.Network;
import io.gradus.bench.cases.Precision;
import io.gradus.bench.libtorch.LibTorch;
import io.gradus.bench.libtorch.TorchTraining;
import io.gradus.bench.measure.Peaks;
import io.gradus.bench.profile.ProductSpeed;
import io.gradus.bench.profile.Profile;
import io.gradus.bench.profile.TimedBackend;
import io.gradus.core.DType;
import io.gradus.core.Device;
import io.gradus.core.MatmulPrecision;
import io.gradus.core.MemoryLedger;
import io.gradus.core.ProcessMemory;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.io.PrintWriter;
import java.lang.management.ManagementFactory;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
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
 * A few training steps with one engine after a cold start: the time of each step and the peak memory of the process. The
 * comparison runs it in separate processes; it is also the program to profile.
 */
@Command(
        name = "steps",
        mixinStandardHelpOptions = true,
        description =
                "Trains for a few steps with one engine, and prints the time and heap allocation of each step and the"
                        + " peak memory.")
final class StepsCommand implements Callable<Integer> {
    /** The start of the line with the peak. */
    static final String PEAK = "peak bytes";

    private static final ThreadMXBean THREADS = (ThreadMXBean) ManagementFactory.getThreadMXBean();

    @Spec
    private CommandSpec spec;

    @Option(names = "--engine", defaultValue = "GRADUS", description = "GRADUS or LIBTORCH (${DEFAULT-VALUE}).")
    private Engine engine;

    @Option(names = "--network", defaultValue = "GPT2", description = "${COMPLETION-CANDIDATES} (${DEFAULT-VALUE}).")
    private Network network;

    @Option(names = "--batch", defaultValue = "4", description = "Sequences (${DEFAULT-VALUE}).")
    private int batch;

    @Option(names = "--length", defaultValue = "64", description = "Tokens per sequence (${DEFAULT-VALUE}).")
    private int length;

    @Option(names = "--steps", defaultValue = "5", description = "Number of steps (${DEFAULT-VALUE}).")
    private int steps;

    @Option(names = "--threads", defaultValue = "1", description = "Number of threads (${DEFAULT-VALUE}).")
    private int threads;

    @Option(
            names = "--device",
            defaultValue = "cpu",
            description = "cpu; with GRADUS also gpu, or meta, which computes nothing and so measures the cost of the"
                    + " graph and the loop (${DEFAULT-VALUE}).")
    private String device;

    @Option(
            names = "--precision",
            defaultValue = "F32",
            description = "The dtype of weights, F32, BF16 or F16 (${DEFAULT-VALUE}); with LIBTORCH, BF16 is autocast.")
    private DType dtype;

    @Option(
            names = "--matmul-precision",
            defaultValue = "HIGHEST",
            description = "Of matrix products, ${COMPLETION-CANDIDATES} (${DEFAULT-VALUE}); with LIBTORCH, MEDIUM is"
                    + " autocast.")
    private MatmulPrecision matmulPrecision;

    @Option(
            names = "--on-request",
            description =
                    "Print the batch, then wait for lines of input with a number of steps, and print the peak after"
                            + " each of them. The input of bench/pytorch.py.")
    private boolean onRequest;

    @Option(
            names = "--profile",
            description =
                    "With GRADUS: print the mean time per kernel in the second half of the steps, and how fast the"
                            + " machine could be.")
    private boolean profiled;

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
                                spec.commandLine(), "--device: '" + device + "' must be cpu, gpu or meta");
                };
                if (profiled) {
                    profile(on);
                    return 0;
                }
                GradusTraining training = network.train(on, precision(), batch, length);
                run(training::step, on);
                if (!onRequest) {
                    report(on.backend().memory());
                }
            }
            case LIBTORCH -> {
                LibTorch.load();
                LibTorch.setThreads(threads);
                try (TorchTraining training = network.trainWithLibTorch(precision(), batch, length)) {
                    run(training::step, Device.cpu());
                }
            }
        }
        return 0;
    }

    private Precision precision() {
        return new Precision(dtype, matmulPrecision);
    }

    private void run(DoubleSupplier step, Device device) throws IOException {
        if (!onRequest) {
            run(step, steps, device);
            return;
        }
        PrintWriter out = spec.commandLine().getOut();
        out.println("ids " + Arrays.toString(network.ids(batch, length)));
        out.println("targets " + Arrays.toString(network.targets(batch, length)));
        out.flush();
        BufferedReader requests = new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8));
        for (String line = requests.readLine(); line != null; line = requests.readLine()) {
            run(step, Integer.parseInt(line.strip()), device);
            out.flush();
        }
    }

    /** The first half of the steps warms up. */
    private void profile(Device device) throws IOException {
        Profile profile = new Profile();
        GradusTraining training = network.train(TimedBackend.on(device, profile), precision(), batch, length);
        DoubleSupplier step = () -> {
            double loss = training.step(profile::begin);
            profile.endStep();
            return loss;
        };
        run(step, steps / 2, device);
        profile.clear();
        run(step, steps - steps / 2, device);
        PrintWriter out = spec.commandLine().getOut();
        out.print(profile.text(Peaks.measure(threads), ProductSpeed.gigaFlops(device, precision())));
        out.flush();
    }

    /** Prints a line per step. Device counters are shown as their change during the step. */
    private void run(DoubleSupplier step, int count, Device device) throws IOException {
        PrintWriter out = spec.commandLine().getOut();
        Map<String, Double> before = device.backend().counters();
        for (int i = 1; i <= count; i++) {
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
        out.println(PEAK + " "
                + ProcessMemory.peak()
                        .orElseThrow(() -> new IOException("the peak memory of a process is known on Linux only")));
    }

    /** Prints the peak memory of tensors, in total and by category. */
    private void report(MemoryLedger memory) {
        PrintWriter out = spec.commandLine().getOut();
        out.println("tensors " + memory.peak());
        memory.atPeak().forEach((category, bytes) -> out.println("  " + category + " " + bytes));
    }
}
