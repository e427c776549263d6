package io.gradus.cli;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.gradus.nn.model.llama.LlamaConfig;
import io.gradus.parallel.MpiLauncher;
import io.gradus.train.TinyModel;
import io.gradus.train.recipe.Recipe.ParallelKind;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Random;
import java.util.concurrent.TimeUnit;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.TestFactory;
import org.junit.jupiter.api.io.TempDir;

/**
 * Kills one process of a job with SIGKILL at random moments. The others and the launcher must end soon, and the resumed job must
 * end with the bytes of an uninterrupted one. A build kills twice; {@code mvn -Psoak} thirty times on two and on four processes with
 * each MPI that is installed, and with {@code -Dgradus.soak.seed=7} at other moments.
 */
class KilledRankTest {
    private static final boolean SOAK = Boolean.getBoolean("gradus.soak");
    private static final long SEED = Long.getLong("gradus.soak.seed", 2026);
    private static final int KILLS = SOAK ? 30 : 2;
    private static final int STEPS = SOAK ? 60 : 8;
    private static final int PATIENCE_SECONDS = 300;
    /** For the other processes and the launcher to end. */
    private static final int END_SECONDS = 10;

    /** What launchers say when a process was killed. */
    private static final Pattern LAUNCHER_MESSAGE =
            Pattern.compile("noticed that process rank|BAD TERMINATION OF ONE OF YOUR APPLICATION PROCESSES");

    @TempDir
    private Path folder;

    @TestFactory
    Stream<DynamicTest> jobWithAKilledRankResumesToTheSameBytes() {
        List<MpiLauncher> launchers = MpiLauncher.installed();
        assumeTrue(!launchers.isEmpty(), "no mpirun is installed: no rank is killed");
        MpiLauncher.missing().forEach(System.out::println);
        List<MpiLauncher> tried = SOAK ? launchers : launchers.stream().limit(1).toList();
        return tried.stream()
                .flatMap(launcher -> Stream.of(2, 4)
                        .limit(SOAK ? 2 : 1)
                        .map(size -> DynamicTest.dynamicTest(
                                KILLS + " kills with " + launcher + " on " + size + " processes",
                                () -> killAndResume(launcher, size))));
    }

    private void killAndResume(MpiLauncher launcher, int size) throws Exception {
        Random random = new Random(SEED + size);
        Path place = Files.createTempDirectory(folder, "job");
        Path model = TinyModel.write(place.resolve("model"), LlamaConfig.of(257, 18, 26, 2, 3, 1, 32));
        String stage =
                Arrays.stream(ParallelKind.values()).toList().getLast().name().toLowerCase(Locale.ROOT);
        List<String> keys = List.of(
                "model.path=" + model,
                "data.train=" + TinyModel.writeText(place.resolve("text.txt"), 200),
                "data.validation_split=0.1",
                "parallel=" + stage,
                "steps=" + STEPS,
                "batch_size=2",
                "learning_rate=0.01",
                "eval_steps=7",
                "max_eval_blocks=2",
                "save_steps=1",
                "save_total_limit=2",
                "sample.max_tokens=4",
                "threads=1",
                "resume=true");
        List<String> command = launcher.command(size);
        Path whole = place.resolve("whole");
        run(command, keys, whole);

        Path output = place.resolve("killed");
        RunFolder killed = new RunFolder(output);
        List<String> kills = new ArrayList<>();
        double slowest = 0;
        while (kills.size() < KILLS) {
            Path log = place.resolve("kill-" + kills.size());
            Process process = Program.start(command, keys, output, log);
            if (random.nextInt(4) > 0) {
                int wanted = killed.newestCheckpoint() + 1;
                await(process, log, killed, wanted);
                process.waitFor(random.nextInt(50), TimeUnit.MILLISECONDS);
            } else { // perhaps while it starts and loads
                awaitRanks(process, log, size);
                process.waitFor(random.nextInt(2000), TimeUnit.MILLISECONDS);
            }
            List<ProcessHandle> ranks = ranks(process);
            assertThat(ranks).as(Program.log(log)).hasSize(size);
            int victim = random.nextInt(size);
            ranks.get(victim).destroyForcibly();
            long start = System.nanoTime();
            boolean ended = Program.endsWithin(process, END_SECONDS);
            slowest = Math.max(slowest, (System.nanoTime() - start) / 1e9);
            String said = Program.log(log);
            assertThat(ended).as("the launcher ended; it said:%n%s", said).isTrue();
            assertThat(process.exitValue()).as(said).isNotZero();
            for (ProcessHandle rank : ranks) {
                long left = TimeUnit.SECONDS.toNanos(END_SECONDS) - (System.nanoTime() - start);
                rank.onExit().get(Math.max(1, left), TimeUnit.NANOSECONDS);
            }
            assertThat(LAUNCHER_MESSAGE.matcher(said).results()).as(said).hasSize(1);
            assertThat(said).doesNotContain("\tat ");
            kills.add(victim + "@" + killed.requireWholeCheckpoints()
                    + (killed.unfinished().isEmpty() ? "" : "*"));
        }
        run(command, keys, output);

        killed.requireSameAs(new RunFolder(whole), STEPS);
        killed.requireSameCheckpoints(new RunFolder(whole));
        System.out.printf(
                Locale.ROOT,
                "killed ranks, seed %d: %s, %d processes, parallel=%s: %d kills (rank@newest checkpoint, * left an"
                        + " unfinished file) %s; all processes ended within %.1f s; same bytes%n",
                SEED,
                launcher,
                size,
                stage,
                kills.size(),
                kills,
                slowest);
    }

    /** The processes of a job, in the order in which they were started. */
    private static List<ProcessHandle> ranks(Process launcher) {
        return launcher.descendants()
                .filter(process -> process.info()
                        .command()
                        .filter(command -> command.endsWith("/java"))
                        .isPresent())
                .sorted()
                .toList();
    }

    private static void awaitRanks(Process process, Path log, int size) throws Exception {
        long end = System.nanoTime() + TimeUnit.SECONDS.toNanos(PATIENCE_SECONDS);
        while (ranks(process).size() < size) {
            assertThat(process.isAlive() && System.nanoTime() < end)
                    .as(Program.log(log))
                    .isTrue();
            Thread.sleep(5);
        }
    }

    private static void await(Process process, Path log, RunFolder folder, int checkpoint) throws Exception {
        long end = System.nanoTime() + TimeUnit.SECONDS.toNanos(PATIENCE_SECONDS);
        while (folder.newestCheckpoint() < checkpoint) {
            assertThat(process.isAlive() && System.nanoTime() < end)
                    .as(Program.log(log))
                    .isTrue();
            Thread.sleep(1);
        }
    }

    private static void run(List<String> command, List<String> keys, Path output)
            throws IOException, InterruptedException {
        Process process = Program.start(command, keys, output);
        boolean ended = Program.endsWithin(process, PATIENCE_SECONDS);
        assertThat(ended).as(Program.log(output)).isTrue();
        assertThat(process.exitValue()).as(Program.log(output)).isZero();
    }
}
