package io.gradus.cli;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.gradus.train.TinyModel;
import java.io.IOException;
import java.io.PrintStream;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** An output that cannot be written ends the program with one message and exit code 1. */
class UnwritableOutputTest {
    @TempDir
    private Path folder;

    private List<String> keys = List.of();

    @BeforeEach
    void write() {
        keys = List.of(
                "model.path=" + TinyModel.write(folder.resolve("model")),
                "data.train=" + TinyModel.writeText(folder.resolve("text.txt"), 60),
                "steps=6",
                "batch_size=2",
                "max_eval_blocks=2",
                "save_steps=2",
                "sample.max_tokens=0",
                "threads=1");
    }

    @ParameterizedTest
    @CsvSource({
        "/proc/x, output /proc/x: its file system accepts no new files; name another folder",
        "text.txt, output text.txt is a file; name a folder",
        "text.txt/a, output text.txt/a: text.txt is a file; name another folder"
    })
    void outputThatCannotBeAFolderIsRejectedBeforeTheRun(String output, String message) {
        assumeTrue(!output.startsWith("/proc") || Files.isDirectory(Path.of("/proc/self")), "there is no /proc");
        StringWriter out = new StringWriter();
        StringWriter err = new StringWriter();
        String[] arguments = Stream.concat(Stream.of("finetune", "output=" + folder.resolve(output)), keys.stream())
                .toArray(String[]::new);
        int code = Main.run(new PrintWriter(out), new PrintWriter(err), arguments);

        assertThat(err.toString().strip().lines().toList().getLast())
                .isEqualTo(
                        message.replace("text.txt", folder.resolve("text.txt").toString()));
        assertThat(code).isOne();
    }

    @Test
    void fullDiskOfStandardOutputIsReported() throws IOException {
        assumeTrue(Files.exists(Path.of("/dev/full")), "there is no /dev/full");
        StringWriter err = new StringWriter();
        int code;
        try (PrintStream full = new PrintStream("/dev/full", StandardCharsets.UTF_8)) {
            code = Main.run(new PrintWriter(full), new PrintWriter(err), "finetune", "--show-keys");
        }
        assertThat(err.toString()).startsWith("standard output cannot be written");
        assertThat(code).isOne();
    }

    /** A limit on the size of files stands for a full disk, and needs no rights. */
    @Test
    void failedWriteOfACheckpointSaysWhatIsSafe() throws Exception {
        assumeTrue(Files.exists(Path.of("/bin/bash")), "there is no bash, which limits the size of files");
        Path output = folder.resolve("out");
        Process whole = Program.finetune(keys, output);
        assertThat(whole.waitFor(120, TimeUnit.SECONDS)).isTrue();
        long optimizer = Files.size(output.resolve("checkpoints/step-000004/optimizer.safetensors"));
        long model = Files.size(output.resolve("model.safetensors"));
        assertThat(optimizer).isGreaterThan(model + 2048); // so that a limit between the two stops the checkpoint

        Path limited = folder.resolve("limited");
        Process process = Program.finetuneWithFilesUpTo((model + optimizer) / 2 / 1024, keys, limited);
        assertThat(process.waitFor(120, TimeUnit.SECONDS)).isTrue();

        assertThat(process.exitValue()).as(Program.log(limited)).isOne();
        assertThat(Program.log(limited))
                .contains(limited.resolve("checkpoints/step-000002.tmp/optimizer.safetensors")
                        + " cannot be written: File too large\n"
                        + "There is no checkpoint yet. Solve the problem, then start from the first step again:\n"
                        + "  ./gradus finetune " + limited.resolve("recipe.yaml") + " output=" + limited
                        + " --resume\n")
                .doesNotContain("Exception");
        assertThat(limited.resolve("checkpoints")).isEmptyDirectory();
        assertThat(limited.resolve(".lock")).doesNotExist();
    }
}
