package io.gradus.cli;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.gradus.core.Device;
import io.gradus.nn.model.ModelFolder;
import io.gradus.train.checkpoint.StateFiles;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.IntStream;
import java.util.stream.Stream;

/** The output folder of a run, which another process may be writing. */
record RunFolder(Path path) {

    /** The size of the log, which grows with each step; −1 before there is one. */
    long metricsSize() {
        try {
            Path file = path.resolve("metrics.jsonl");
            return Files.exists(file) ? Files.size(file) : -1;
        } catch (IOException e) {
            return -1;
        }
    }

    /** The step of the newest checkpoint; 0 without one. */
    int newestCheckpoint() {
        return list(path.resolve("checkpoints")).stream()
                .filter(name -> name.matches("step-\\d+"))
                .mapToInt(name -> Integer.parseInt(name.substring(5)))
                .max()
                .orElse(0);
    }

    /** Files and folders that are being written. */
    List<String> unfinished() {
        return Stream.of(path, path.resolve("checkpoints"))
                .flatMap(each -> list(each).stream())
                .filter(name -> name.endsWith(".tmp") || name.endsWith(".old"))
                .toList();
    }

    private static List<String> list(Path folder) {
        if (!Files.isDirectory(folder)) {
            return List.of();
        }
        try (Stream<Path> files = Files.list(folder)) {
            return files.map(file -> file.getFileName().toString()).sorted().toList();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** Asserts that every checkpoint is complete and the model is not partial. Returns the step of the newest checkpoint. */
    int requireWholeCheckpoints() throws IOException {
        for (String name : list(path.resolve("checkpoints"))) {
            if (name.matches("step-\\d+")) {
                Path checkpoint = path.resolve("checkpoints").resolve(name);
                new ModelFolder(checkpoint).load(Device.cpu(1));
                assertThat(list(checkpoint)).contains("state.json", "tokenizer.json");
                StateFiles.open(checkpoint, Device.cpu(1)).close();
            }
        }
        if (Files.exists(path.resolve("model.safetensors"))) {
            new ModelFolder(path).load(Device.cpu(1));
        }
        return newestCheckpoint();
    }

    /** Asserts that this folder has what an uninterrupted run has written, and nothing else. */
    void requireSameAs(RunFolder whole, int steps) throws IOException {
        requireSameModel(whole);
        assertThat(metrics(steps)).isEqualTo(whole.metrics(steps));
        assertThat(unfinished()).isEmpty();
        assertThat(files()).isEqualTo(whole.files());
    }

    void requireSameModel(RunFolder whole) {
        for (String file : List.of("model.safetensors", "config.json")) {
            assertThat(path.resolve(file)).hasSameBinaryContentAs(whole.path.resolve(file));
        }
    }

    /** Asserts that the checkpoints, which have the weights and the state of the optimizer, have the same bytes. */
    void requireSameCheckpoints(RunFolder whole) throws IOException {
        List<String> names = files().stream()
                .filter(name -> name.matches("checkpoints/.*\\.safetensors"))
                .toList();
        assertThat(names).isNotEmpty();
        for (String name : names) {
            assertThat(path.resolve(name)).hasSameBinaryContentAs(whole.path.resolve(name));
        }
    }

    private List<String> files() throws IOException {
        try (Stream<Path> files = Files.walk(path)) {
            return files.map(file -> path.relativize(file).toString()).sorted().toList();
        }
    }

    /** Returns every line without its speed. */
    private List<String> metrics(int steps) throws IOException {
        ObjectMapper json = new ObjectMapper();
        List<String> lines = new ArrayList<>();
        for (String line : Files.readAllLines(path.resolve("metrics.jsonl"))) {
            JsonNode node = json.readTree(line);
            lines.add(
                    node.has("loss")
                            ? node.get("step") + " train " + node.get("loss") + " " + node.get("grad_norm")
                            : line);
        }
        assertThat(lines.stream()
                        .filter(line -> line.contains(" train "))
                        .map(line -> Integer.parseInt(line.substring(0, line.indexOf(' ')))))
                .containsExactlyElementsOf(
                        IntStream.rangeClosed(1, steps).boxed().toList());
        return lines;
    }
}
