package io.gradus.cli;

import static org.assertj.core.api.Assertions.assertThat;

import io.gradus.nn.model.llama.LlamaConfig;
import io.gradus.parallel.HostName;
import io.gradus.train.TinyModel;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestFactory;
import org.junit.jupiter.api.io.TempDir;

/** The program in two processes, which communicate by TCP, and with each MPI that is installed. */
class ParallelRunTest {
    private static final int SECONDS = 120;

    /** A job must end so soon after one of its processes. */
    private static final int SOON = 10;

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

    private List<String> with(String... more) {
        List<String> all = new ArrayList<>(keys);
        all.addAll(List.of(more));
        return all;
    }

    private List<List<String>> both(String... more) {
        return Collections.nCopies(2, with(more));
    }

    /** What a test does with each way to start processes. */
    @FunctionalInterface
    private interface Check {
        void with(ParallelProgram.Starter starter, Path output) throws Exception;
    }

    private Stream<DynamicTest> all(Check check) {
        return ParallelProgram.starters()
                .map(starter -> DynamicTest.dynamicTest(
                        starter.getKey(), () -> check.with(starter.getValue(), folder.resolve(starter.getKey()))));
    }

    @TestFactory
    Stream<DynamicTest> twoProcessesHaveTheBitsOfOneThatAccumulatesTwoBatches() throws Exception {
        Path alone = folder.resolve("alone");
        Process process = Program.finetune(with("gradient_accumulation_steps=2"), alone);
        assertThat(process.waitFor()).as(Program.log(alone)).isZero();
        return all((starter, output) -> {
            String printed = starter.start(both("parallel=data"), output).awaitCode(SECONDS, 0);
            assertThat(output.resolve("model.safetensors")).hasSameBinaryContentAs(alone.resolve("model.safetensors"));
            assertThat(printed).containsOnlyOnce("step 4/4");
        });
    }

    @TestFactory
    Stream<DynamicTest> errorOfAllProcessesIsPrintedOnce() {
        return all((starter, output) -> {
            String missing = "data.train=" + folder.resolve("missing.txt");
            String printed =
                    starter.start(both("parallel=data", missing), output).awaitCode(SECONDS, 1);
            assertThat(printed).containsOnlyOnce("missing.txt");
            assertThat(output).doesNotExist();
        });
    }

    @TestFactory
    Stream<DynamicTest> otherTextOnOneProcessIsPrintedOnceWithItsRank() {
        Path other = TinyModel.writeText(folder.resolve("other.txt"), 199);
        return all((starter, output) -> {
            String printed = starter.start(
                            List.of(with("parallel=data"), with("parallel=data", "data.train=" + other)), output)
                    .await(SECONDS);
            assertThat(printed)
                    .containsOnlyOnce("all processes must have the same")
                    .contains("rank 1 on " + HostName.get() + ": recipe:", "data.train: 5142 bytes");
        });
    }

    @TestFactory
    Stream<DynamicTest> killedProcessEndsTheJobSoon() {
        return all((starter, output) -> {
            ParallelProgram job = starter.start(both("parallel=data", "steps=100000", "save_steps=2"), output);
            job.awaitPrinted("step 3");
            job.kill(1);
            String printed = job.await(SOON);
            if (job.processes().size() > 1) { // mpirun has a message of its own
                assertThat(printed)
                        .containsOnlyOnce("rank 1 on " + HostName.get() + " ended without a message")
                        .containsPattern("step [0-9]+: rank 1")
                        .containsPattern("The checkpoint of step [0-9]+ is intact");
            }
        });
    }

    @Test
    void diskThatIsFullForOneProcessEndsTheJobWithItsRankAndFile() throws Exception {
        Path model = TinyModel.write(folder.resolve("larger"), LlamaConfig.of(257, 256, 24, 1, 2, 1, 32));
        String[] divided = {"parallel=zero1", "save_steps=2", "model.path=" + model};
        List<String> limited = List.of("/bin/bash", "-c", "ulimit -f 100 && exec \"$@\"", "limited");
        ParallelProgram job = ParallelProgram.tcp(limited, List.of(), both(divided), folder.resolve("out"), 2);
        String printed = job.awaitCode(SECONDS, 1);
        assertThat(printed)
                .containsOnlyOnce("rank 1 on " + HostName.get() + ": ")
                .contains("step-000002.tmp/optimizer-00002-of-00002.safetensors")
                .containsOnlyOnce("There is no checkpoint yet.");
        assertThat(folder.resolve("out/checkpoints")).isEmptyDirectory();
    }

    @Test
    void killedFirstProcessIsReportedByAnother() throws Exception {
        List<List<String>> three = Collections.nCopies(3, with("parallel=data", "steps=100000"));
        ParallelProgram job = ParallelProgram.tcp(List.of(), three, folder.resolve("out"), 3);
        job.awaitPrinted("step 3");
        job.kill(0);
        assertThat(job.await(SOON)).containsOnlyOnce("rank 0 on " + HostName.get() + " ended without a message");
    }

    @Test
    void processThatDoesNotComeIsNamed() throws Exception {
        ParallelProgram job = ParallelProgram.tcp(
                List.of("-Dgradus.join.seconds=3"), both("parallel=data"), folder.resolve("out"), 3);
        assertThat(job.awaitCode(SECONDS, 1)).containsOnlyOnce("rank 2 of 3 did not come to rank 0");
    }

    @Test
    void misspelledKeyOfAllProcessesIsPrintedOnce() throws Exception {
        ParallelProgram job =
                ParallelProgram.tcp(List.of(), both("parallel=data", "stepss=4"), folder.resolve("out"), 2);
        assertThat(job.awaitCode(SECONDS, 2)).containsOnlyOnce("stepss");
    }

    @Test
    void misspelledKeyOfOneProcessEndsTheJob() throws Exception {
        List<List<String>> ranks = List.of(with("parallel=data"), with("parallel=data", "stepss=4"));
        ParallelProgram job = ParallelProgram.tcp(List.of(), ranks, folder.resolve("out"), 2);
        assertThat(job.await(SECONDS))
                .containsOnlyOnce("stepss")
                .contains("rank 1 on " + HostName.get() + ": recipe: ");
    }

    @Test
    void parallelRunWithoutALauncherIsRejected() throws IOException, InterruptedException {
        Path output = folder.resolve("alone");
        Process process = Program.finetune(with("parallel=data"), output);
        assertThat(process.waitFor()).isEqualTo(2);
        assertThat(Program.log(output)).contains("mpirun -n 2", "srun", "torchrun", "MASTER_ADDR");
    }
}
