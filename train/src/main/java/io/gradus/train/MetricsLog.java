package io.gradus.train;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.gradus.core.safetensors.AtomicFile;
import io.gradus.core.safetensors.WriteException;
import io.gradus.parallel.CommunicationTime;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.List;

/** Writes {@code metrics.jsonl}: one JSON object per line for each step, evaluation and sample, as they happen. */
final class MetricsLog implements TrainingListener {
    private static final ObjectMapper JSON = new ObjectMapper();

    private final Path file;

    /**
     * @param file to append to; lines after {@code lastStep}, and a line that a crash truncated, are removed
     */
    MetricsLog(Path file, int lastStep) throws IOException {
        this.file = file;
        List<String> kept = !Files.exists(file)
                ? List.of()
                // Not readAllLines, which rejects a truncated character.
                : new String(Files.readAllBytes(file), StandardCharsets.UTF_8)
                        .lines()
                        .filter(line -> isUpTo(lastStep, line))
                        .toList();
        AtomicFile.write(file, kept.isEmpty() ? "" : String.join("\n", kept) + "\n");
    }

    private static boolean isUpTo(int lastStep, String line) {
        try {
            JsonNode step = JSON.readTree(line).path("step");
            return step.isInt() && step.intValue() <= lastStep && lastStep > 0;
        } catch (IOException e) {
            return false;
        }
    }

    @Override
    public void stepped(Step step) {
        ObjectNode line = JSON.createObjectNode()
                .put("step", step.step())
                .put("loss", step.loss())
                .put("learning_rate", step.learningRate())
                .put("grad_norm", step.gradientNorm())
                .put("tokens", step.tokens())
                .put("tokens_per_second", Math.round(step.tokens() / step.seconds()));
        if (!step.communication().equals(CommunicationTime.NONE)) {
            line.put("seconds", step.seconds())
                    .put("communication_seconds", step.communication().seconds())
                    .put("waiting_seconds", step.communication().waited());
        }
        append(line);
    }

    @Override
    public void skipped(Skipped skipped) {
        append(JSON.createObjectNode().put("step", skipped.step()).put("skipped", skipped.reason()));
    }

    @Override
    public void evaluated(Evaluation evaluation) {
        ObjectNode line = JSON.createObjectNode()
                .put("step", evaluation.step())
                .put(evaluation.name() + "_loss", evaluation.loss());
        evaluation.scores().metrics().forEach((metric, value) -> line.put(evaluation.name() + "_" + metric, value));
        append(line);
    }

    @Override
    public void sampled(Sample sample) {
        append(JSON.createObjectNode()
                .put("step", sample.step())
                .put("prompt", sample.prompt())
                .put("text", sample.text()));
    }

    private void append(ObjectNode line) {
        try {
            Files.writeString(file, line + "\n", StandardOpenOption.CREATE, StandardOpenOption.APPEND);
        } catch (IOException e) {
            throw new UncheckedIOException(new WriteException(file, e));
        }
    }
}
