package io.gradus.parallel;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.TestFactory;
import org.junit.jupiter.api.io.TempDir;

/** Runs the checks of {@link CommunicatorChecks} in the processes of an MPI job, with each MPI that is installed. */
class MpiTransportTest {
    @TempDir
    private Path folder;

    @TestFactory
    Stream<DynamicTest> contract() {
        return launchers()
                .flatMap(launcher -> Stream.of(2, 3)
                        .map(size -> DynamicTest.dynamicTest(
                                "all checks pass with " + launcher + " on " + size + " ranks",
                                () -> allChecksPass(launcher, size))));
    }

    @TestFactory
    Stream<DynamicTest> abort() {
        return launchers()
                .map(launcher -> DynamicTest.dynamicTest("job of " + launcher + " ends when one rank aborts it", () -> {
                    Job job = launch(launcher, 2, MpiRank.ABORT);
                    assertThat(job.exitCode).isNotZero();
                    assertThat(job.output).contains("rank 1 on " + HostName.get() + ": the disk is full");
                }));
    }

    private void allChecksPass(MpiLauncher launcher, int size) throws Exception {
        Job job = launch(launcher, size);
        assertThat(job.exitCode).as(job.output).isZero();
        assertThat(job.output).contains("rank " + (size - 1) + " of " + size + " used ");
        for (String check : CommunicatorChecks.all().keySet()) {
            for (int rank = 0; rank < size; rank++) {
                assertThat(job.output).contains("rank " + rank + " of " + size + " passed " + check);
            }
        }
    }

    /** How a job ended, and all that its ranks printed. */
    private record Job(int exitCode, String output) {}

    private static Stream<MpiLauncher> launchers() {
        List<MpiLauncher> launchers = MpiLauncher.installed();
        assumeTrue(!launchers.isEmpty(), "no mpirun is installed: MPI is not tested");
        return launchers.stream();
    }

    private Job launch(MpiLauncher launcher, int size, String... arguments) throws IOException, InterruptedException {
        List<String> command = new ArrayList<>(launcher.command(size));
        command.addAll(List.of(
                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "--add-modules",
                "jdk.incubator.vector",
                "--enable-native-access=ALL-UNNAMED",
                "-Xmx256m",
                "-cp",
                System.getProperty("java.class.path"),
                MpiRank.class.getName()));
        command.addAll(List.of(arguments));
        Path output = folder.resolve("output.txt");
        Process process = new ProcessBuilder(command)
                .redirectErrorStream(true)
                .redirectOutput(output.toFile())
                .start();
        boolean ended = process.waitFor(120, TimeUnit.SECONDS);
        if (!ended) {
            process.descendants().forEach(ProcessHandle::destroyForcibly);
            process.destroyForcibly();
        }
        String text = Files.readString(output, StandardCharsets.UTF_8);
        assertThat(ended).as("the job ended; it printed:%n%s", text).isTrue();
        return new Job(process.exitValue(), text);
    }
}
