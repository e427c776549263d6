package io.gradus.cli;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.gradus.parallel.MpiLauncher;
import io.gradus.train.TinyModel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.stream.Stream;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.TestFactory;
import org.junit.jupiter.api.io.TempDir;

/**
 * One process of an MPI job finds no model, another text, or a full disk. The whole job ends soon, with one message that names the
 * process. Each process has a working folder of its own, where it finds model and text. {@code mvn -Psoak} tries every MPI that is
 * installed.
 */
class FailingRankTest {
    private static final boolean SOAK = Boolean.getBoolean("gradus.soak");
    /** Ten seconds, and as much again for the start of Java on a busy machine. */
    private static final int END_SECONDS = 20;

    private static final int SIZE = 2;
    private static final long DISK = 600_000;

    /** Runs a command in the working folder of this rank. */
    private static final String IN_OWN_FOLDER = "cd \"$0/rank-${OMPI_COMM_WORLD_RANK:-$PMI_RANK}\" && exec \"$@\"";

    @TempDir
    private Path folder;

    /** What is wrong on a rank. */
    @FunctionalInterface
    private interface Failure {
        void on(Path rankFolder) throws Exception;
    }

    @TestFactory
    Stream<DynamicTest> jobEndsWithOneMessage() {
        List<MpiLauncher> launchers = MpiLauncher.installed();
        assumeTrue(!launchers.isEmpty(), "no mpirun is installed: no rank fails");
        return launchers.stream()
                .limit(SOAK ? launchers.size() : 1)
                .flatMap(launcher -> Stream.of(
                        DynamicTest.dynamicTest(
                                "missing model with " + launcher,
                                () -> fails(
                                        launcher,
                                        rank -> Files.move(rank.resolve("model"), rank.resolve("elsewhere")),
                                        "model model is missing")),
                        DynamicTest.dynamicTest(
                                "another text with " + launcher,
                                () -> fails(
                                        launcher,
                                        rank -> TinyModel.writeText(rank.resolve("text.txt"), 199),
                                        "all processes must have the same")),
                        DynamicTest.dynamicTest("full disk with " + launcher, () -> fullDisk(launcher))));
    }

    private Path ranks() throws Exception {
        Path place = Files.createTempDirectory(folder, "job");
        for (int rank = 0; rank < SIZE; rank++) {
            Path own = Files.createDirectory(place.resolve("rank-" + rank));
            TinyModel.write(own.resolve("model"));
            TinyModel.writeText(own.resolve("text.txt"), 200);
        }
        return place;
    }

    private static final List<String> KEYS = List.of(
            "model.path=model",
            "data.train=text.txt",
            "parallel=data",
            "steps=400",
            "batch_size=2",
            "eval_steps=400",
            "max_eval_blocks=2",
            "save_steps=1",
            "save_total_limit=99",
            "sample.max_tokens=0",
            "threads=1");

    private static List<String> command(MpiLauncher launcher, Path place) {
        List<String> command = new ArrayList<>(launcher.command(SIZE));
        command.addAll(List.of("/bin/bash", "-c", IN_OWN_FOLDER, place.toString()));
        return command;
    }

    private void fails(MpiLauncher launcher, Failure failure, String message) throws Exception {
        for (int rank = 0; rank < SIZE; rank++) {
            Path place = ranks();
            failure.on(place.resolve("rank-" + rank));
            Path output = place.resolve("out");
            String said = endsWithError(Program.start(command(launcher, place), KEYS, output), output, launcher);
            assertThat(said).containsOnlyOnce(message);
            if (rank > 0) {
                assertThat(said).containsOnlyOnce("rank " + rank);
            }
            assertThat(output.resolve("model.safetensors")).doesNotExist();
        }
    }

    private void fullDisk(MpiLauncher launcher) throws Exception {
        SmallDisk.assumePossible(folder);
        Path place = ranks();
        Path disk = Files.createDirectory(place.resolve("disk"));
        Path state = Files.createDirectory(place.resolve("state"));
        List<String> command = new ArrayList<>(SmallDisk.command(disk, state, DISK));
        command.addAll(command(launcher, place));
        Path log = place.resolve("job");
        String said = endsWithError(Program.start(command, KEYS, disk.resolve("out"), log), log, launcher);
        assertThat(said).containsOnlyOnce("cannot be written: No space left on device");
        RunFolder left = new RunFolder(state.resolve("out"));
        assertThat(left.unfinished()).isEmpty();
        assertThat(said).contains("The checkpoint of step " + left.requireWholeCheckpoints() + " is intact.");
    }

    private static String endsWithError(Process process, Path log, MpiLauncher launcher) throws Exception {
        long start = System.nanoTime();
        boolean ended = Program.endsWithin(process, END_SECONDS);
        String said = Program.log(log);
        assertThat(ended).as("the job ended; it said:%n%s", said).isTrue();
        assertThat(process.exitValue()).as(said).isNotZero();
        assertThat(said).doesNotContain("\tat ");
        System.out.printf(
                Locale.ROOT,
                "a job of %s with a failing rank ended after %.1f s%n",
                launcher,
                (System.nanoTime() - start) / 1e9);
        return said;
    }
}
