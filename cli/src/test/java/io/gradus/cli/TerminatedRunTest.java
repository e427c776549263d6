package io.gradus.cli;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeFalse;

import io.gradus.train.TinyModel;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * Stops the program with SIGTERM or Ctrl-C. The program must finish its step, write a checkpoint, print how to resume, and
 * exit with the exit code of the signal. The resumed run must end with the same bytes as an uninterrupted run.
 */
class TerminatedRunTest {
    private static final int STEPS = 30;
    private static final long PATIENCE_SECONDS = 120;

    @TempDir
    private Path folder;

    private List<String> keys = List.of();

    @BeforeEach
    void write() {
        assumeFalse(System.getProperty("os.name").startsWith("Windows"), "Windows has no SIGTERM");
        keys = List.of(
                "model.path=" + TinyModel.write(folder.resolve("model")),
                "data.train=" + TinyModel.writeText(folder.resolve("text.txt"), 60),
                "data.validation_split=0.1",
                "steps=" + STEPS,
                "batch_size=2",
                "learning_rate=0.01",
                "eval_steps=7",
                "max_eval_blocks=2",
                "save_steps=0",
                "spike_z=5",
                "load_best_model_at_end=true",
                "sample.max_tokens=4",
                "threads=2");
    }

    private Path output(String name) {
        return folder.resolve(name);
    }

    private int end(Process process, Path output) throws Exception {
        assertThat(process.waitFor(PATIENCE_SECONDS, TimeUnit.SECONDS))
                .as(Program.log(output))
                .isTrue();
        return process.exitValue();
    }

    private void run(Path output, String... more) throws Exception {
        assertThat(end(Program.finetune(with(more), output), output))
                .as(Program.log(output))
                .isZero();
    }

    private List<String> with(String... more) {
        return Stream.concat(keys.stream(), Stream.of(more)).toList();
    }

    private void awaitSteps(Process process, Path output, int steps) throws Exception {
        Path metrics = output.resolve("metrics.jsonl");
        long end = System.nanoTime() + TimeUnit.SECONDS.toNanos(PATIENCE_SECONDS);
        while (process.isAlive() && stepsIn(metrics) < steps) {
            assertThat(System.nanoTime()).as(Program.log(output)).isLessThan(end);
            Thread.onSpinWait();
        }
    }

    private static long stepsIn(Path metrics) throws IOException {
        return !Files.exists(metrics)
                ? 0
                : Files.readAllLines(metrics).stream()
                        .filter(line -> line.contains("\"loss\""))
                        .count();
    }

    private static List<String> checkpoints(Path output) throws IOException {
        if (!Files.exists(output.resolve("checkpoints"))) {
            return List.of();
        }
        try (Stream<Path> files = Files.list(output.resolve("checkpoints"))) {
            return files.map(file -> file.getFileName().toString())
                    .filter(name -> name.startsWith("step-"))
                    .toList();
        }
    }

    private void assertSameAsUninterrupted(Path output) throws Exception {
        run(output("whole"));
        assertThat(output.resolve("model.safetensors"))
                .hasSameBinaryContentAs(output("whole").resolve("model.safetensors"));
        assertThat(losses(output)).isEqualTo(losses(output("whole")));
    }

    private static List<String> losses(Path output) throws IOException {
        return Files.readAllLines(output.resolve("metrics.jsonl")).stream()
                .map(line -> line.replaceAll(",\"tokens_per_second.*", ""))
                .toList();
    }

    @Test
    void runResumedAfterSigtermEndsWithTheSameBytes() throws Exception {
        Path output = output("terminated");
        int signals = 0;
        for (int steps : new int[] {3, 12, 21}) {
            Process process = Program.finetune(with("resume=true"), output);
            awaitSteps(process, output, steps);
            process.destroy(); // SIGTERM
            int code = end(process, output);
            if (code == 0) {
                break; // a fast machine has finished already
            }
            assertThat(code).as(Program.log(output)).isEqualTo(143);
            signals++;
            assertThat(checkpoints(output)).hasSize(1);
            assertThat(output.resolve("model.safetensors")).doesNotExist();
            assertThat(output.resolve("report.html")).content().contains("This run has not finished: stopped after");
            assertThat(Program.log(output))
                    .contains("stopping after this step and saving a checkpoint")
                    .containsPattern("stopped after step \\d+ of 30; a checkpoint is written")
                    .contains("report      " + output.resolve("report.html"))
                    .contains("./gradus finetune " + output.resolve("recipe.yaml") + " output=" + output + " --resume");
        }
        assertThat(signals).isPositive();
        run(output, "resume=true");
        assertSameAsUninterrupted(output);
    }

    /** Returns whether child processes ignore SIGINT, as background processes of a shell script do. */
    private static boolean ignoresInterrupts() throws IOException {
        Path status = Path.of("/proc/self/status");
        return Files.exists(status)
                && Files.readAllLines(status).stream()
                        .filter(line -> line.startsWith("SigIgn:"))
                        .anyMatch(line ->
                                (Long.parseUnsignedLong(line.substring(7).strip(), 16) & 1 << 1) != 0);
    }

    @Test
    void printedResumeCommandWorksAfterCtrlC() throws Exception {
        assumeFalse(ignoresInterrupts(), "this process ignores SIGINT, and so do its children");
        Path output = output("interrupted");
        Process process = Program.finetune(keys, output);
        awaitSteps(process, output, 5);
        new ProcessBuilder("kill", "-INT", String.valueOf(process.pid()))
                .start()
                .waitFor();
        assertThat(end(process, output)).as(Program.log(output)).isEqualTo(130);

        String command = Program.log(output)
                .lines()
                .filter(line -> line.strip().startsWith("./gradus finetune "))
                .findFirst()
                .orElseThrow();
        List<String> arguments = Stream.of(command.strip().split(" "))
                .skip(2)
                .filter(argument -> !argument.startsWith("output="))
                .toList();
        assertThat(end(Program.finetune(arguments, output), output))
                .as(Program.log(output))
                .isZero();
        assertSameAsUninterrupted(output);
    }
}
