package io.gradus.cli.report;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.gradus.cli.report.Curve.Point;
import io.gradus.train.TrainingListener;
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
 * The contents of {@code metrics.jsonl}: all steps of a run, including those before it was resumed.
 *
 * @param steps the steps by number; if a step was repeated after a crash, the later record
 * @param evaluations the losses on each text, by the name of the text and then by step
 * @param samples the texts that the model generated, by step
 */
record Metrics(
        SortedMap<Integer, Step> steps,
        Map<String, SortedMap<Integer, Double>> evaluations,
        SortedMap<Integer, Sample> samples) {
    private static final ObjectMapper JSON = new ObjectMapper();
    private static final String LOSS = "_loss";

    /** The metrics of one step. A number that is missing or not finite is NaN. */
    record Step(double loss, double learningRate, double gradientNorm, long tokens, double tokensPerSecond) {
        /** Returns the duration of the step; 0 if the speed is missing. */
        double seconds() {
            return tokensPerSecond > 0 ? tokens / tokensPerSecond : 0;
        }
    }

    /** Reads the file, if there is one, and skips lines that a crash truncated. */
    static Metrics read(Path file) throws IOException {
        Metrics metrics = new Metrics(new TreeMap<>(), new LinkedHashMap<>(), new TreeMap<>());
        if (!Files.exists(file)) {
            return metrics;
        }
        for (String line : Files.readAllLines(file)) {
            try {
                metrics.add(JSON.readTree(line));
            } catch (JsonProcessingException e) {
                // truncated by a crash; the resumed run repeats and logs the step
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

    void add(TrainingListener.Step step) {
        steps.put(
                step.step(),
                new Step(
                        step.loss(),
                        step.learningRate(),
                        step.gradientNorm(),
                        step.tokens(),
                        step.tokens() / step.seconds()));
    }

    void add(TrainingListener.Evaluation evaluation) {
        evaluations.computeIfAbsent(evaluation.name(), _ -> new TreeMap<>()).put(evaluation.step(), evaluation.loss());
    }

    /** Returns the number of completed steps. */
    int lastStep() {
        return steps.isEmpty() ? 0 : steps.lastKey();
    }

    /** Jackson writes NaN and infinity as strings. */
    private static double number(JsonNode line, String field) {
        return line.path(field).isNumber() ? line.path(field).doubleValue() : Double.NaN;
    }

    /** Returns one number of each step. */
    Curve curve(ToDoubleFunction<Step> number) {
        List<Point> points = new ArrayList<>();
        steps.forEach((step, record) -> points.add(new Point(step, number.applyAsDouble(record))));
        return new Curve(points);
    }

    /** Returns the losses on a text; empty if the text was not evaluated. */
    Curve evaluation(String name) {
        List<Point> points = new ArrayList<>();
        evaluations.getOrDefault(name, new TreeMap<>()).forEach((step, loss) -> points.add(new Point(step, loss)));
        return new Curve(points);
    }

    /**
     * Returns the losses on a text up to the step whose weights were saved.
     *
     * @param standing of the run; the loss of the saved model replaces the last value, because its weights may be
     *     interpolated
     */
    Curve evaluation(String name, Standing standing) {
        Curve curve = evaluation(name).upTo(standing.savedStep());
        Double saved = standing.after().get(name);
        return saved == null || curve.points().isEmpty() ? curve : curve.endingWith(saved);
    }

    /** Returns the total number of target tokens of all steps. */
    long tokens() {
        return steps.values().stream().mapToLong(Step::tokens).sum();
    }

    /** Returns the total time of all steps in seconds, without evaluation, sampling and checkpoints. */
    double seconds() {
        return steps.values().stream().mapToDouble(Step::seconds).sum();
    }
}
