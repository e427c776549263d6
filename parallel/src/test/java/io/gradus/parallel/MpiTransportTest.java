package io.gradus.parallel;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.File;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.TestFactory;
import org.junit.jupiter.api.io.TempDir;

/**
 * Runs the checks of {@link CommunicatorChecks} in the processes of an MPI job, with each MPI that is installed. The system
 * property {@code gradus.mpiexec} adds launchers, separated by colons, such as that of an MPICH from PyPI.
 */
class MpiTransportTest {
    /** Open MPI refuses to run as root, and more processes than cores, unless told otherwise. */
    private static final Map<String, String> ENVIRONMENT = Map.of(
            "OMPI_ALLOW_RUN_AS_ROOT", "1",
            "OMPI_ALLOW_RUN_AS_ROOT_CONFIRM", "1",
            "OMPI_MCA_rmaps_base_oversubscribe", "1");

    @TempDir
    private Path folder;

    @TestFactory
    Stream<DynamicTest> contract() {
        return launchers()
                .flatMap(launcher -> Stream.of(2, 3)
                        .map(size -> DynamicTest.dynamicTest(
                                "all checks pass with " + launcher.getFileName() + " on " + size + " ranks",
                                () -> allChecksPass(launcher, size))));
    }

    @TestFactory
    Stream<DynamicTest> abort() {
        return launchers()
                .map(launcher -> DynamicTest.dynamicTest(
                        "job of " + launcher.getFileName() + " ends when one rank aborts it", () -> {
                            Job job = launch(launcher, 2, MpiRank.ABORT);
                            assertThat(job.exitCode).isNotZero();
                            assertThat(job.output).contains("rank 1: the disk is full");
                        }));
    }

    private void allChecksPass(Path launcher, int size) throws Exception {
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

    private static Stream<Path> launchers() {
        Stream<Path> named = Stream.of(System.getProperty("gradus.mpiexec", "").split(File.pathSeparator))
                .filter(name -> !name.isEmpty())
                .map(Path::of);
        Stream<Path> installed = Stream.of("mpirun.openmpi", "mpirun.mpich", "mpirun")
                .flatMap(name -> Stream.of(System.getenv("PATH").split(File.pathSeparator))
                        .map(folder -> Path.of(folder, name))
                        .filter(Files::isExecutable)
                        .limit(1));
        Map<Path, Path> launchers = new LinkedHashMap<>(); // by file: mpirun is often a link to one of the others
        Stream.concat(named, installed).forEach(launcher -> {
            try {
                launchers.putIfAbsent(launcher.toRealPath(), launcher);
            } catch (IOException e) {
                throw new UncheckedIOException(e);
            }
        });
        assumeTrue(!launchers.isEmpty(), "no mpirun is installed: MPI is not tested");
        return launchers.values().stream();
    }

    private Job launch(Path launcher, int size, String... arguments) throws IOException, InterruptedException {
        List<String> command = new ArrayList<>(List.of(
                launcher.toString(),
                "-n",
                Integer.toString(size),
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
        ProcessBuilder builder =
                new ProcessBuilder(command).redirectErrorStream(true).redirectOutput(output.toFile());
        builder.environment().putAll(ENVIRONMENT);
        Process process = builder.start();
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
