package io.gradus.cli;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.gradus.train.TinyModel;
import java.io.File;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The program in the processes of an MPI job, if MPI is installed. */
class ParallelRunTest {
    @TempDir
    private Path folder;

    private List<String> keys = List.of();

    @BeforeEach
    void write() {
        keys = List.of(
                "model.path=" + TinyModel.write(folder.resolve("model")),
                "data.train=" + TinyModel.writeText(folder.resolve("text.txt"), 200),
                "steps=4",
                "batch_size=2",
                "max_eval_blocks=4",
                "sample.max_tokens=0",
                "threads=1");
    }

    @Test
    void twoProcessesHaveTheBitsOfOneThatAccumulatesTwoBatches() throws Exception {
        String printed = run(mpirun(), "together", 0, "parallel=data");
        run(List.of(), "alone", 0, "gradient_accumulation_steps=2");
        assertThat(folder.resolve("together/model.safetensors"))
                .hasSameBinaryContentAs(folder.resolve("alone/model.safetensors"));
        assertThat(printed).containsOnlyOnce("step 4/4");
    }

    @Test
    void errorOfAllProcessesIsPrintedOnce() throws Exception {
        String printed = run(mpirun(), "together", 1, "parallel=data", "data.train=" + folder.resolve("missing.txt"));
        assertThat(printed).containsOnlyOnce("missing.txt");
        assertThat(folder.resolve("together")).doesNotExist();
    }

    @Test
    void parallelRunWithoutALauncherIsRejected() throws Exception {
        mpirun();
        assertThat(run(List.of(), "alone", 2, "parallel=data")).contains("start them with mpirun -n 2");
    }

    /** The command that starts two processes. Open MPI refuses to do so as root, or on one core, unless told otherwise. */
    private static List<String> mpirun() {
        Optional<Path> launcher = Stream.of("mpirun.openmpi", "mpirun.mpich", "mpirun")
                .flatMap(name -> Stream.of(System.getenv("PATH").split(File.pathSeparator))
                        .map(path -> Path.of(path, name)))
                .filter(Files::isExecutable)
                .findFirst();
        assumeTrue(launcher.isPresent(), "no mpirun is installed: parallel runs are not tested with MPI");
        return List.of(
                "env",
                "OMPI_ALLOW_RUN_AS_ROOT=1",
                "OMPI_ALLOW_RUN_AS_ROOT_CONFIRM=1",
                "OMPI_MCA_rmaps_base_oversubscribe=1",
                launcher.get().toString(),
                "-n",
                "2");
    }

    private String run(List<String> launcher, String output, int exitCode, String... more)
            throws IOException, InterruptedException {
        List<String> all = new ArrayList<>(keys);
        all.addAll(List.of(more));
        Process process = Program.start(launcher, all, folder.resolve(output));
        boolean ended = process.waitFor(120, TimeUnit.SECONDS);
        if (!ended) {
            process.descendants().forEach(ProcessHandle::destroyForcibly);
            process.destroyForcibly();
        }
        String printed = Program.log(folder.resolve(output));
        assertThat(ended).as("the job ended; it printed:%n%s", printed).isTrue();
        assertThat(process.exitValue()).as(printed).isEqualTo(exitCode);
        return printed;
    }
}
