package io.gradus.cli;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.gradus.core.Device;
import io.gradus.nn.model.ModelFolder;
import io.gradus.train.TinyModel;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.concurrent.TimeUnit;
import java.util.function.BooleanSupplier;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestReporter;
import org.junit.jupiter.api.io.TempDir;

/**
 * Kills the program with SIGKILL and restarts it until the run is done. The result must have the same bytes as an
 * uninterrupted run. The run writes a checkpoint at every step, so that many kills hit the writing of one.
 */
class KilledRunTest {
    private static final int STEPS = 24;
    private static final int KILLS = 4;
    private static final long PATIENCE_SECONDS = 120;

    @TempDir
    private static Path shared;

    private static List<String> keys = List.of();

    @TempDir
    private Path folder;

    @BeforeAll
    static void runUninterrupted() throws Exception {
        Path model = TinyModel.write(shared.resolve("model"));
        Path text = TinyModel.writeText(shared.resolve("text.txt"), 60);
        keys = List.of(
                "model.path=" + model,
                "data.train=" + text,
                "data.validation_split=0.1",
                "steps=" + STEPS,
                "batch_size=2",
                "gradient_accumulation_steps=2",
                "learning_rate=0.01",
                "eval_steps=10",
                "max_eval_blocks=2",
                "save_steps=1",
                "save_total_limit=2",
                "sample.max_tokens=4",
                "threads=2",
                "resume=true");
        run(shared.resolve("whole"));
    }

    @Test
    void runKilledAtRandomTimesEndsWithTheSameBytes(TestReporter reporter) throws Exception {
        Random random = new Random(2024);
        int kills = 0;
        List<Integer> steps = new ArrayList<>();
        while (kills < KILLS) {
            Process process = start(folder.resolve("killed"));
            long lines = metricsSize();
            // Wait for a number of steps, so that a fast machine does not finish before the kill, then for a random
            // time.
            int wanted = newestCheckpoint() + random.nextInt(STEPS / (KILLS + 2));
            awaitOrEnd(process, () -> metricsSize() != lines && newestCheckpoint() >= wanted);
            boolean ended = process.waitFor(random.nextInt(20), TimeUnit.MILLISECONDS);
            if (ended) {
                assertThat(process.exitValue()).isZero();
                break;
            }
            kill(process);
            kills++;
            steps.add(requireWholeCheckpoints());
        }
        run(folder.resolve("killed"));

        reporter.publishEntry("killed after the checkpoints of steps", steps.toString());
        assertThat(kills).as("kills before the run was done").isGreaterThanOrEqualTo(3);
        assertSameAsWhole();
    }

    @Test
    void runKilledDuringCheckpointWritesEndsWithTheSameBytes(TestReporter reporter) throws Exception {
        int caught = 0;
        for (int kill = 0; kill < KILLS; kill++) {
            Process process = start(folder.resolve("killed"));
            int wanted = 2 + 5 * kill;
            awaitOrEnd(
                    process, () -> newestCheckpoint() >= wanted && !unfinished().isEmpty());
            kill(process);
            caught += unfinished().isEmpty() ? 0 : 1;
            requireWholeCheckpoints();
        }
        assertThat(caught).as("kills that left an unfinished file").isPositive();
        run(folder.resolve("killed"));

        reporter.publishEntry("kills that left an unfinished file", String.valueOf(caught));
        assertSameAsWhole();
    }

    private void assertSameAsWhole() throws IOException {
        Path whole = shared.resolve("whole");
        Path killed = folder.resolve("killed");
        assertThat(killed.resolve("model.safetensors")).hasSameBinaryContentAs(whole.resolve("model.safetensors"));
        assertThat(killed.resolve("config.json")).hasSameBinaryContentAs(whole.resolve("config.json"));
        assertThat(metrics(killed)).isEqualTo(metrics(whole));
        assertThat(metrics(killed).stream().filter(line -> line.contains(" train ")))
                .hasSize(STEPS);
        assertThat(unfinished()).isEmpty();
        assertThat(files(killed)).isEqualTo(files(whole));
    }

    // ---- the process ----

    private static Process start(Path output) throws IOException {
        return Program.finetune(keys, output);
    }

    private static void run(Path output) throws Exception {
        Process process = start(output);
        assertThat(process.waitFor(PATIENCE_SECONDS, TimeUnit.SECONDS)).isTrue();
        assertThat(process.exitValue()).as(Program.log(output)).isZero();
    }

    private void awaitOrEnd(Process process, BooleanSupplier condition) throws IOException {
        long end = System.nanoTime() + TimeUnit.SECONDS.toNanos(PATIENCE_SECONDS);
        while (!condition.getAsBoolean() && process.isAlive()) {
            assertThat(System.nanoTime())
                    .as(Program.log(folder.resolve("killed")))
                    .isLessThan(end);
            Thread.onSpinWait();
        }
    }

    /** Sends SIGKILL, so no shutdown hook runs. */
    private static void kill(Process process) throws InterruptedException {
        process.destroyForcibly();
        process.waitFor();
    }

    // ---- output files ----

    private long metricsSize() {
        try {
            Path file = folder.resolve("killed/metrics.jsonl");
            return Files.exists(file) ? Files.size(file) : -1;
        } catch (IOException e) {
            return -1;
        }
    }

    private int newestCheckpoint() {
        return list(folder.resolve("killed/checkpoints")).stream()
                .filter(name -> name.matches("step-\\d+"))
                .mapToInt(name -> Integer.parseInt(name.substring(5)))
                .max()
                .orElse(0);
    }

    private List<String> unfinished() {
        return Stream.of("killed", "killed/checkpoints")
                .flatMap(each -> list(folder.resolve(each)).stream())
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
    private int requireWholeCheckpoints() throws IOException {
        Path killed = folder.resolve("killed");
        for (String name : list(killed.resolve("checkpoints"))) {
            if (name.matches("step-\\d+")) {
                Path checkpoint = killed.resolve("checkpoints").resolve(name);
                new ModelFolder(checkpoint).load(Device.cpu(1));
                assertThat(list(checkpoint)).contains("state.json", "optimizer.safetensors", "tokenizer.json");
            }
        }
        if (Files.exists(killed.resolve("model.safetensors"))) {
            new ModelFolder(killed).load(Device.cpu(1));
        }
        return newestCheckpoint();
    }

    private static List<String> files(Path output) throws IOException {
        try (Stream<Path> files = Files.walk(output)) {
            return files.map(file -> output.relativize(file).toString())
                    .sorted()
                    .toList();
        }
    }

    /** Returns every line without its speed. */
    private static List<String> metrics(Path output) throws IOException {
        ObjectMapper json = new ObjectMapper();
        List<String> lines = new ArrayList<>();
        for (String line : Files.readAllLines(output.resolve("metrics.jsonl"))) {
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
                        IntStream.rangeClosed(1, STEPS).boxed().toList());
        return lines;
    }
}
