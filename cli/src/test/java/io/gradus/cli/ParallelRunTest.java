package io.gradus.cli;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.gradus.parallel.MpiLauncher;
import io.gradus.train.TinyModel;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
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

    /** The command that starts two processes. */
    private static List<String> mpirun() {
        List<MpiLauncher> launchers = MpiLauncher.installed();
        assumeTrue(!launchers.isEmpty(), "no mpirun is installed: parallel runs are not tested with MPI");
        return launchers.getFirst().command(2);
    }

    private String run(List<String> launcher, String output, int exitCode, String... more)
            throws IOException, InterruptedException {
        List<String> all = new ArrayList<>(keys);
        all.addAll(List.of(more));
        Process process = Program.start(launcher, all, folder.resolve(output));
        boolean ended = Program.endsWithin(process, 120);
        String printed = Program.log(folder.resolve(output));
        assertThat(ended).as("the job ended; it printed:%n%s", printed).isTrue();
        assertThat(process.exitValue()).as(printed).isEqualTo(exitCode);
        return printed;
    }
}
