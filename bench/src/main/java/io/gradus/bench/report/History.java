package io.gradus.bench.report;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.gradus.bench.measure.Machine;
import io.gradus.bench.measure.Peaks;
import io.gradus.core.safetensors.AtomicFile;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.List;
import java.util.Map;

/**
 * The history file: a line of JSON per run. A result is {@code [our milliseconds, theirs, ratio, quiet samples, samples]} under
 * {@code results.<threads>.<group>.<case>}.
 */
public final class History {
    private static final ObjectMapper JSON = new ObjectMapper();

    private History() {}

    /**
     * A run.
     *
     * @param rival the version of the library compared with
     * @param quick whether {@code --quick} was given, so that medians are of few samples
     * @param peaks of the machine, by number of threads
     * @param warmUpSteps number of training steps until 90% of the final speed, by number of threads; empty if not measured
     */
    public record Run(
            Instant date,
            Machine machine,
            String rival,
            boolean quick,
            Map<Integer, Peaks> peaks,
            List<Result> results,
            Map<Integer, Integer> warmUpSteps) {}

    /**
     * Appends a run to a file atomically.
     *
     * @throws IOException if the file cannot be read or written; the file is unchanged
     */
    public static void append(Path file, Run run) throws IOException {
        String before = Files.exists(file) ? Files.readString(file) : "";
        String separator = before.isEmpty() || before.endsWith("\n") ? "" : "\n";
        AtomicFile.write(file, before + separator + line(run) + "\n");
    }

    /** The line, without its line separator. */
    static String line(Run run) {
        ObjectNode json = JSON.createObjectNode();
        json.put("date", run.date.truncatedTo(ChronoUnit.SECONDS).toString());
        json.put("cpu", run.machine.processor()).put("processors", run.machine.processors());
        json.put("jdk", run.machine.jdk()).put("os", run.machine.system());
        json.put("libtorch", run.rival);
        json.put("quick", run.quick);
        ObjectNode peaks = json.putObject("peaks");
        run.peaks.forEach((threads, peak) -> peaks.putObject(threads.toString())
                .put("GFLOP/s", rounded(peak.gigaFlops()))
                .put("triad GB/s", rounded(peak.triadGigaBytes()))
                .put("GB/s", rounded(peak.gigaBytes())));
        ObjectNode results = json.putObject("results");
        for (Result result : run.results) {
            ArrayNode numbers = results.withObjectProperty(Integer.toString(result.threads()))
                    .withObjectProperty(result.group())
                    .putArray(result.name());
            // Memory results are in bytes.
            double unit = result.group().equals("memory") ? 1 : 1e3;
            numbers.add(rounded(result.outcome().ours() * unit))
                    .add(rounded(result.outcome().theirs() * unit))
                    .add(rounded(result.outcome().ratio()))
                    .add(result.outcome().quietPairs())
                    .add(result.outcome().pairs());
        }
        ObjectNode targets = json.putObject("targets");
        for (Target.Verdict verdict : Target.judge(run.results)) {
            targets.withObjectProperty(Integer.toString(verdict.threads()))
                    .put(verdict.target().name(), rounded(verdict.value()));
        }
        if (!run.warmUpSteps.isEmpty()) {
            ObjectNode steps = json.putObject("warm-up steps");
            run.warmUpSteps.forEach((threads, step) -> steps.put(threads.toString(), step));
        }
        try {
            return JSON.writeValueAsString(json);
        } catch (JsonProcessingException e) {
            throw new IllegalStateException("history: the run cannot be written as JSON", e);
        }
    }

    /** Rounds to four digits, except numbers of bytes. */
    private static double rounded(double number) {
        return number == 0 || !Double.isFinite(number) || number > 1e6
                ? number
                : new java.math.BigDecimal(number)
                        .round(new java.math.MathContext(4))
                        .doubleValue();
    }
}
