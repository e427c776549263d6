package io.gradus.cli;

import static org.assertj.core.api.Assertions.assertThat;

import io.gradus.train.TinyModel;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.concurrent.TimeUnit;
import java.util.function.BooleanSupplier;
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
            long lines = killed().metricsSize();
            // Wait for a number of steps, so that a fast machine does not finish before the kill, then for a random
            // time.
            int wanted = killed().newestCheckpoint() + random.nextInt(STEPS / (KILLS + 2));
            awaitOrEnd(process, () -> killed().metricsSize() != lines && killed().newestCheckpoint() >= wanted);
            boolean ended = process.waitFor(random.nextInt(20), TimeUnit.MILLISECONDS);
            if (ended) {
                assertThat(process.exitValue()).isZero();
                break;
            }
            kill(process);
            kills++;
            steps.add(killed().requireWholeCheckpoints());
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
                    process,
                    () -> killed().newestCheckpoint() >= wanted
                            && !killed().unfinished().isEmpty());
            kill(process);
            caught += killed().unfinished().isEmpty() ? 0 : 1;
            killed().requireWholeCheckpoints();
        }
        assertThat(caught).as("kills that left an unfinished file").isPositive();
        run(folder.resolve("killed"));

        reporter.publishEntry("kills that left an unfinished file", String.valueOf(caught));
        assertSameAsWhole();
    }

    private void assertSameAsWhole() throws IOException {
        killed().requireSameAs(new RunFolder(shared.resolve("whole")), STEPS);
    }

    private RunFolder killed() {
        return new RunFolder(folder.resolve("killed"));
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
}
