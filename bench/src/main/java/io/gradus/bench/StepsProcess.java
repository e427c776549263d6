package io.gradus.bench;

import io.gradus.bench.cases.Network;
import io.gradus.bench.cases.Precision;
import io.gradus.bench.cases.TrainingStepCases.Batch;
import io.gradus.bench.measure.Medians;
import java.io.File;
import java.io.IOException;
import java.lang.management.ManagementFactory;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;

/**
 * {@link StepsCommand} in a separate JVM with the same flags.
 *
 * @param seconds the time of each step
 * @param peakBytes the peak memory of the process
 */
record StepsProcess(List<Double> seconds, long peakBytes) {

    /**
     * Runs the process.
     *
     * @throws IOException if it fails; contains its error output
     */
    static StepsProcess run(Engine engine, Network network, Precision precision, Batch batch, int steps, int threads)
            throws IOException {
        List<String> command = new ArrayList<>();
        command.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
        command.addAll(ManagementFactory.getRuntimeMXBean().getInputArguments());
        command.addAll(List.of("-classpath", System.getProperty("java.class.path"), Main.class.getName(), "steps"));
        command.addAll(List.of("--engine", engine.name(), "--network", network.name()));
        command.addAll(List.of("--precision", precision.dtype().name()));
        command.addAll(List.of("--matmul-precision", precision.products().name()));
        command.addAll(List.of("--batch", Integer.toString(batch.size())));
        command.addAll(List.of("--length", Integer.toString(batch.length())));
        command.addAll(List.of("--steps", Integer.toString(steps), "--threads", Integer.toString(threads)));
        File errors = File.createTempFile("gradus-steps", ".log");
        try {
            Process process = new ProcessBuilder(command).redirectError(errors).start();
            String output = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
            int code = process.waitFor();
            if (code != 0) {
                throw new IOException("training " + network.name().toLowerCase(Locale.ROOT) + " with "
                        + engine.name().toLowerCase(Locale.ROOT) + " in a separate process failed with exit code "
                        + code + ": "
                        + java.nio.file.Files.readString(errors.toPath()).strip());
            }
            return parse(output);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new IOException("the run was interrupted", e);
        } finally {
            java.nio.file.Files.delete(errors.toPath());
        }
    }

    static StepsProcess parse(String output) throws IOException {
        List<Double> seconds = output.lines()
                .filter(line -> line.startsWith("step "))
                .map(line -> Double.parseDouble(line.substring(line.lastIndexOf(' ') + 1)))
                .toList();
        long peak = output.lines()
                .filter(line -> line.startsWith(StepsCommand.PEAK))
                .mapToLong(line -> Long.parseLong(
                        line.substring(StepsCommand.PEAK.length()).trim()))
                .findFirst()
                .orElseThrow(() -> new IOException("the process did not print its peak memory: " + output));
        return new StepsProcess(seconds, peak);
    }

    /**
     * The first step, from 1, that is at least 90% as fast as the second half's median.
     */
    int firstStepAtSpeed() {
        double last = Medians.of(seconds.subList(seconds.size() / 2, seconds.size()));
        for (int i = 0; i < seconds.size(); i++) {
            if (seconds.get(i) <= last / 0.9) {
                return i + 1;
            }
        }
        throw new IllegalStateException("no step is as fast as the median: " + seconds);
    }
}
