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
 * One line of JSON for each run. Of a result it holds {@code [our milliseconds, theirs, ratio, quiet samples, samples]}
 * under
 * {@code results.threads.group.case}.
 */
public final class History {
    private static final ObjectMapper JSON = new ObjectMapper();

    private History() {}

    /**
     * A run.
     *
     * @param rival what was compared with, and its version
     * @param quick whether it was the short one, whose medians are of few samples
     * @param peaks of the machine, by threads
     * @param warmUpSteps training steps until 90% of the final speed, by threads; empty where that was not measured
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
     * Adds a run to a file, or leaves the file as it was.
     *
     * @throws IOException when it cannot be read or written
     */
    public static void append(Path file, Run run) throws IOException {
        String before = Files.exists(file) ? Files.readString(file) : "";
        String separator = before.isEmpty() || before.endsWith("\n") ? "" : "\n";
        AtomicFile.write(file, before + separator + line(run) + "\n");
    }

    /** The line, without its end. */
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
            // Memory is no time: its bytes are shown as such.
            double unit = result.group().equals("memory") ? 1 : 1e3;
            numbers.add(rounded(result.outcome().ours() * unit))
                    .add(rounded(result.outcome().theirs() * unit))
                    .add(rounded(result.outcome().ratio()))
                    .add(result.outcome().quietPairs())
                    .add(result.outcome().pairs());
        }
        ObjectNode bars = json.putObject("bars");
        for (Bar.Verdict verdict : Bar.judge(run.results)) {
            bars.withObjectProperty(Integer.toString(verdict.threads()))
                    .put(verdict.bar().name(), rounded(verdict.value()));
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

    /** Four digits; bytes of memory whole. */
    private static double rounded(double number) {
        return number == 0 || !Double.isFinite(number) || number > 1e6
                ? number
                : new java.math.BigDecimal(number)
                        .round(new java.math.MathContext(4))
                        .doubleValue();
    }
}
