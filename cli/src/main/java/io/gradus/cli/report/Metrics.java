package io.gradus.cli.report;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.gradus.cli.report.Curve.Point;
import io.gradus.train.RunResult;
import io.gradus.train.TrainingListener.Sample;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.function.ToDoubleFunction;

/**
 * What {@code metrics.jsonl} says of a run, from its first step, through all the times that it was resumed.
 *
 * @param steps by number; where a step was made twice, after a crash, the later record
 * @param evaluations the losses on each text, by its name and then by step
 * @param samples that the model wrote, by step
 */
record Metrics(
        SortedMap<Integer, Step> steps,
        Map<String, SortedMap<Integer, Double>> evaluations,
        SortedMap<Integer, Sample> samples) {
    private static final ObjectMapper JSON = new ObjectMapper();
    private static final String LOSS = "_loss";

    /** One line about a step. A number that is missing or not finite is NaN. */
    record Step(double loss, double learningRate, double gradientNorm, long tokens, double tokensPerSecond) {
        /** How long it took; 0 when the line does not say. */
        double seconds() {
            return tokensPerSecond > 0 ? tokens / tokensPerSecond : 0;
        }
    }

    /** Reads the file. A line that a crash cut short is left out. */
    static Metrics read(Path file) throws IOException {
        Metrics metrics = new Metrics(new TreeMap<>(), new LinkedHashMap<>(), new TreeMap<>());
        for (String line : Files.readAllLines(file)) {
            try {
                metrics.add(JSON.readTree(line));
            } catch (JsonProcessingException e) {
                // cut short: the step is made and told again
            }
        }
        return metrics;
    }

    private void add(JsonNode line) {
        if (!line.path("step").isInt()) {
            return;
        }
        int step = line.path("step").intValue();
        if (line.has("loss")) {
            steps.put(
                    step,
                    new Step(
                            number(line, "loss"),
                            number(line, "learning_rate"),
                            number(line, "grad_norm"),
                            line.path("tokens").longValue(),
                            number(line, "tokens_per_second")));
        }
        if (line.path("text").isTextual()) {
            samples.put(
                    step,
                    new Sample(
                            step,
                            line.path("prompt").asText(),
                            line.path("text").textValue()));
        }
        line.properties().forEach(entry -> {
            String field = entry.getKey();
            if (field.endsWith(LOSS)) {
                String name = field.substring(0, field.length() - LOSS.length());
                evaluations.computeIfAbsent(name, _ -> new TreeMap<>()).put(step, number(line, field));
            }
        });
    }

    /** Jackson writes NaN and infinity as strings. */
    private static double number(JsonNode line, String field) {
        return line.path(field).isNumber() ? line.path(field).doubleValue() : Double.NaN;
    }

    /** One number of each step. */
    Curve curve(ToDoubleFunction<Step> number) {
        List<Point> points = new ArrayList<>();
        steps.forEach((step, record) -> points.add(new Point(step, number.applyAsDouble(record))));
        return new Curve(points);
    }

    /** The losses on a text; empty when it was not evaluated. */
    Curve evaluation(String name) {
        List<Point> points = new ArrayList<>();
        evaluations.getOrDefault(name, new TreeMap<>()).forEach((step, loss) -> points.add(new Point(step, loss)));
        return new Curve(points);
    }

    /**
     * The losses on a text up to the weights that were saved.
     *
     * @param result of the run; what it says of those weights counts, for they may be mixed ones
     */
    Curve evaluation(String name, RunResult result) {
        Curve curve = evaluation(name).upTo(result.savedStep());
        Double saved = result.after().get(name);
        return saved == null || curve.points().isEmpty() ? curve : curve.endingWith(saved);
    }

    /** Tokens that counted, in all steps. */
    long tokens() {
        return steps.values().stream().mapToLong(Step::tokens).sum();
    }

    /** The time of all steps, without evaluation, samples and checkpoints. */
    double seconds() {
        return steps.values().stream().mapToDouble(Step::seconds).sum();
    }
}
