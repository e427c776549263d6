package io.gradus.cli;

import static org.assertj.core.api.Assertions.assertThat;

import io.gradus.nn.model.llama.LlamaConfig;
import io.gradus.train.TinyModel;
import io.gradus.train.checkpoint.Folders;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Random;
import java.util.concurrent.TimeUnit;
import java.util.function.BooleanSupplier;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInfo;
import org.junit.jupiter.api.condition.EnabledIfSystemProperty;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * Everything that can happen to a run, many times: kills, full disks, a second run, a model that disappears. Each time, nothing
 * may be lost: the run must continue from its newest checkpoint and end with the bytes of an uninterrupted run. Takes about ten
 * minutes: {@code mvn -Psoak -pl cli -am test}, with {@code -Dgradus.soak.seed=7} for other random moments.
 */
@EnabledIfSystemProperty(named = "gradus.soak", matches = "true", disabledReason = "mvn -Psoak runs it")
class SoakTest {
    private static final int STEPS = 40;
    private static final int KILLS_PER_RUN = 10;
    private static final int FULL_DISKS = 10;
    private static final int SIGKILL_EXIT = 128 + 9;
    private static final long PATIENCE_SECONDS = 300;
    private static final long SEED = Long.getLong("gradus.soak.seed", 2026);

    @TempDir
    private static Path shared;

    @TempDir
    private Path folder;

    private Random random = new Random();

    @BeforeAll
    static void write() {
        TinyModel.write(shared.resolve("model"), LlamaConfig.of(257, 32, 64, 2, 2, 1, 32));
        TinyModel.writeText(shared.resolve("text.txt"), 200);
    }

    @BeforeEach
    void seed(TestInfo test) {
        random = new Random(SEED ^ test.getDisplayName().hashCode());
    }

    private static List<String> keys(Path model, String more) {
        List<String> keys = new ArrayList<>(List.of(
                "model.path=" + model,
                "data.train=" + shared.resolve("text.txt"),
                "steps=" + STEPS,
                "batch_size=2",
                "learning_rate=0.01",
                "eval_steps=7",
                "max_eval_blocks=2",
                "save_steps=1",
                "save_total_limit=2",
                "sample.max_tokens=4",
                "threads=2",
                "resume=true"));
        keys.addAll(Stream.of(more.split(" ")).filter(key -> !key.isEmpty()).toList());
        return keys;
    }

    private static List<String> keys(String more) {
        return keys(shared.resolve("model"), more);
    }

    private static void report(String format, Object... values) {
        System.out.printf(Locale.ROOT, "soak, seed " + SEED + ": " + format + "%n", values);
    }

    // ---- processes ----

    private static void end(Process process, Path output, int code) throws Exception {
        assertThat(process.waitFor(PATIENCE_SECONDS, TimeUnit.SECONDS)).isTrue();
        assertThat(process.exitValue()).as(Program.log(output)).isEqualTo(code);
    }

    private static RunFolder run(List<String> keys, Path output) throws Exception {
        end(Program.finetune(keys, output), output, 0);
        return new RunFolder(output);
    }

    private static void await(Process process, Path output, BooleanSupplier condition) throws Exception {
        long end = System.nanoTime() + TimeUnit.SECONDS.toNanos(PATIENCE_SECONDS);
        while (!condition.getAsBoolean() && process.isAlive()) {
            assertThat(System.nanoTime()).as(Program.log(output)).isLessThan(end);
            Thread.sleep(1);
        }
    }

    private static void awaitSteps(Process process, Path output, int steps) throws Exception {
        await(process, output, () -> lines(output.resolve("metrics.jsonl")) > steps);
    }

    private static long lines(Path file) {
        try (Stream<String> lines = Files.exists(file) ? Files.lines(file) : Stream.empty()) {
            return lines.count();
        } catch (IOException | UncheckedIOException e) {
            return 0;
        }
    }

    // ---- kills ----

    @ParameterizedTest
    @ValueSource(
            strings = {
                "",
                "precision=bf16 save_dtype=bf16 gradient_accumulation_steps=2",
                "load_best_model_at_end=true learning_rate=0.1",
                "ema_decay=0.9 spike_z=4 wise_ft_alpha=0.5",
                "precision=f16 freeze=*embed_tokens*",
                "matmul_precision=medium ema_decay=0.9",
                "matmul_precision=high max_grad_norm=1",
                "optimizer=sgd momentum=0.9 l2_sp=0.01 schedule=constant"
            })
    void runKilledAtRandomMomentsLosesNothing(String more) throws Exception {
        List<String> keys = keys(more);
        RunFolder whole = run(keys, folder.resolve("whole"));
        Path output = folder.resolve("killed");
        RunFolder killed = new RunFolder(output);
        List<String> kills = new ArrayList<>();
        while (kills.size() < KILLS_PER_RUN) {
            Process process = Program.finetune(keys, output);
            if (random.nextInt(4) > 0) {
                int wanted = killed.newestCheckpoint() + 1 + random.nextInt(3);
                await(process, output, () -> killed.newestCheckpoint() >= wanted);
                process.waitFor(random.nextInt(30), TimeUnit.MILLISECONDS);
            } else {
                process.waitFor(random.nextInt(4000), TimeUnit.MILLISECONDS); // perhaps while it starts and loads
            }
            process.destroyForcibly().waitFor(); // SIGKILL
            if (process.exitValue() == 0) { // the run ended first, so the next one starts from the first step
                killed.requireSameAs(whole, STEPS);
                Folders.delete(output);
            } else {
                assertThat(process.exitValue()).as(Program.log(output)).isEqualTo(SIGKILL_EXIT);
                kills.add(
                        killed.requireWholeCheckpoints() + (killed.unfinished().isEmpty() ? "" : "*"));
            }
        }
        run(keys, output);

        killed.requireSameAs(whole, STEPS);
        report(
                "'%s': %d kills, newest checkpoints then %s (* left an unfinished file), same bytes",
                more, kills.size(), kills);
    }

    // ---- full disks ----

    /** The space that a folder takes in memory pages. */
    private static long pages(Path folder) throws IOException {
        long pages = 0;
        try (Stream<Path> files = Files.walk(folder)) {
            for (Path file : files.toList()) {
                pages += 1 + (Files.isRegularFile(file) ? Files.size(file) / 4096 : 0);
            }
        }
        return 4096 * pages;
    }

    /**
     * Runs on a disk that becomes full, checks the message, then continues on a large one.
     *
     * @param file that cannot be written; any if empty
     * @return the step of the newest checkpoint that was safe
     */
    private int runOnFullDisk(List<String> keys, RunFolder whole, long bytes, String file) throws Exception {
        Path disk = Files.createDirectories(folder.resolve("disk"));
        Path state = Files.createDirectories(folder.resolve("state"));
        Path output = disk.resolve("out");
        Path moved = state.resolve("out");
        // The log is outside of the small disk, next to the folder whose name is that of the output.
        Path log = folder.resolve("out");
        Process process = Program.start(SmallDisk.command(disk, state, bytes), keys, output, log);
        end(process, log, 1);

        String said = Program.log(log);
        assertThat(said)
                .contains(file + " cannot be written: No space left on device\n")
                .doesNotContain("\tat ");
        RunFolder left = new RunFolder(moved);
        assertThat(left.unfinished()).isEmpty();
        assertThat(moved.resolve(".lock")).doesNotExist();
        int newest = left.requireWholeCheckpoints();
        Matcher safe = Pattern.compile(
                        "The checkpoint of step (\\d+) is intact. Free disk space, then continue from it")
                .matcher(said);
        if (newest > 0) {
            assertThat(safe.find()).as(said).isTrue();
            assertThat(safe.group(1)).isEqualTo(Integer.toString(newest));
        } else {
            assertThat(said)
                    .contains("There is no checkpoint yet. Free disk space, then start from the first step again");
        }
        assertThat(said)
                .contains("./gradus finetune " + output.resolve("recipe.yaml") + " output=" + output + " --resume");

        run(keys, moved);
        left.requireSameAs(whole, STEPS);
        for (Path each : List.of(state, disk, Path.of(log + ".log"))) {
            Folders.delete(each);
        }
        return newest;
    }

    @Test
    void diskFullAtRandomMomentsLosesNothing() throws Exception {
        SmallDisk.assumePossible(folder);
        // All checkpoints are kept, so that the space of the disk decides at which one it is full.
        List<String> keys = keys("save_steps=2 save_total_limit=99");
        RunFolder whole = run(keys, folder.resolve("whole"));
        long all = pages(whole.path());
        List<Integer> newest = new ArrayList<>();
        for (int i = 0; i < FULL_DISKS; i++) {
            newest.add(runOnFullDisk(keys, whole, (long) ((0.05 + 0.85 * random.nextDouble()) * all), ""));
        }
        report("disk full %d times, newest checkpoints then %s, same bytes", newest.size(), newest);
    }

    @Test
    void diskFullDuringTheFinalSaveLosesNothing() throws Exception {
        SmallDisk.assumePossible(folder);
        for (String save : List.of("save_steps=0", "save_steps=21")) {
            List<String> keys = keys(save);
            RunFolder whole = run(keys, folder.resolve("whole-" + save));
            // Room for everything but half of the final model.
            long model = Files.size(whole.path().resolve("model.safetensors"));
            int newest = runOnFullDisk(keys, whole, pages(whole.path()) - model / 2, "/out/model.safetensors");
            report("disk full in the final save with %s: newest checkpoint %d, same bytes", save, newest);
        }
    }

    // ---- two runs ----

    @Test
    void secondRunIsRejectedAndTheFirstEndsUndisturbed() throws Exception {
        List<String> keys = keys("");
        RunFolder whole = run(keys, folder.resolve("whole"));
        Path output = folder.resolve("out");
        Process first = Program.finetune(keys, output);
        awaitSteps(first, output, 3);
        Process second = Program.start(List.of(), keys, output, folder.resolve("second"));
        end(second, folder.resolve("second"), 1);
        assertThat(first.isAlive()).isTrue();
        end(first, output, 0);

        assertThat(Program.log(folder.resolve("second")))
                .containsPattern("output \\Q" + output + "\\E is in use by process " + first.pid()
                        + " on \\S+, started [0-9: -]+ \\(io.gradus.cli.Main finetune .*; wait until it ends, stop it,"
                        + " or name another folder\n");
        new RunFolder(output).requireSameAs(whole, STEPS);
        report("a second run on one folder was rejected, same bytes");
    }

    // ---- the model ----

    private Path copyOfTheModel() throws IOException {
        Path copy = Files.createDirectory(folder.resolve("model"));
        try (Stream<Path> files = Files.list(shared.resolve("model"))) {
            for (Path file : files.toList()) {
                Files.copy(file, copy.resolve(file.getFileName()));
            }
        }
        return copy;
    }

    @ParameterizedTest
    @ValueSource(strings = {"deleted", "truncated"})
    void modelThatDisappearsDuringARunCostsNothing(String how) throws Exception {
        for (String more : List.of("", "wise_ft_alpha=0.5")) {
            Path model = copyOfTheModel();
            RunFolder whole = run(keys(model, more), folder.resolve("whole" + more));
            Path output = folder.resolve("out" + more);
            Process process = Program.finetune(keys(model, more), output);
            awaitSteps(process, output, 3);
            Path away = folder.resolve("away");
            Files.move(model, away);
            if (how.equals("truncated")) {
                byte[] weights = Files.readAllBytes(away.resolve("model.safetensors"));
                Files.createDirectory(model);
                Files.write(model.resolve("model.safetensors"), Arrays.copyOf(weights, weights.length / 2));
            }
            if (more.isEmpty()) {
                end(process, output, 0); // it needs the model no more
            } else {
                end(process, output, 1);
                assertThat(Program.log(output))
                        .contains("the run needs the model that it started from, " + model + ", but ")
                        .contains("The checkpoint of step " + STEPS + " is intact.")
                        .doesNotContain("\tat ")
                        .doesNotContain("InternalError");
                Folders.delete(model);
                Files.move(away, model);
                run(keys(model, more), output);
            }
            new RunFolder(output).requireSameModel(whole);
            Folders.delete(model);
            Folders.delete(away);
            report("the model was %s during a run with '%s', same bytes", how, more);
        }
    }
}
