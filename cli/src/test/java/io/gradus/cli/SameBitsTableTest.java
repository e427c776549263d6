package io.gradus.cli;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.gradus.nn.model.llama.LlamaConfig;
import io.gradus.parallel.MpiLauncher;
import io.gradus.train.FineTuning;
import io.gradus.train.TinyModel;
import io.gradus.train.recipe.Recipe;
import io.gradus.train.recipe.Recipe.ParallelKind;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * Trains with every MPI that is installed, in every way to divide the work, and compares the SHA-256 of {@code model.safetensors}
 * with that of one process. Writes the table to {@code target/same-bits.md}. A build makes some of the runs; {@code mvn -Psoak}
 * makes all.
 */
class SameBitsTableTest {
    private static final boolean ALL = Boolean.getBoolean("gradus.soak");
    private static final Path TABLE = Path.of("target", "same-bits.md");
    private static final int PATIENCE_SECONDS = 600;
    private static final int DIGITS = 8;
    private static final String NOT_RUN = "–";

    private static final List<Integer> SIZES = List.of(2, 4);
    private static final List<String> PRECISIONS = List.of("f32", "bf16");
    private static final List<String> OPTIMIZERS = List.of("adamw", "adamw8bit", "sgd", "adafactor");
    private static final List<String> STAGES = Arrays.stream(ParallelKind.values())
            .filter(kind -> kind != ParallelKind.NONE)
            .map(kind -> kind.name().toLowerCase(Locale.ROOT))
            .toList();

    @TempDir
    private Path folder;

    private List<String> common = List.of();

    /** How a model is trained. */
    private record Setting(String precision, String optimizer) {
        List<String> keys() {
            return List.of("precision=" + precision, "optimizer=" + optimizer);
        }
    }

    /** The processes that train one model. */
    private record Job(MpiLauncher launcher, int size) {}

    /** A run of a job. */
    private record Cell(Job job, String stage, Setting setting) {
        Alone alone() {
            return new Alone(job.size, setting);
        }
    }

    /** A run of one process that accumulates as many batches as a job has processes. */
    private record Alone(int batches, Setting setting) {}

    @Test
    void processesOfEveryMpiHaveTheBitsOfOneProcess() throws Exception {
        // Lengths that four processes cannot divide evenly.
        Path model = TinyModel.write(folder.resolve("model"), LlamaConfig.of(257, 18, 26, 2, 3, 1, 32));
        common = List.of(
                "model.path=" + model,
                "data.train=" + TinyModel.writeText(folder.resolve("text.txt"), 200),
                "data.validation_split=0.1",
                "steps=3",
                "batch_size=2",
                "learning_rate=0.02",
                "max_grad_norm=0.1",
                "eval_steps=2",
                "max_eval_blocks=4",
                "save_steps=2",
                "sample.max_tokens=0",
                "threads=1");
        Map<Cell, String> together = new LinkedHashMap<>();
        List<MpiLauncher> launchers = MpiLauncher.installed();
        assumeTrue(!launchers.isEmpty(), "no mpirun is installed: nothing is compared");
        for (MpiLauncher launcher : launchers) {
            for (int size : SIZES) {
                if (ALL || size == SIZES.getFirst() || launcher.equals(launchers.getFirst())) {
                    together.putAll(together(new Job(launcher, size)));
                }
            }
        }
        Map<Alone, String> alone = new LinkedHashMap<>();
        for (Cell cell : together.keySet()) {
            if (!alone.containsKey(cell.alone())) {
                alone.put(cell.alone(), alone(cell.alone()));
            }
        }

        List<String> table = table(alone, together);
        Files.createDirectories(TABLE.getParent());
        Files.write(TABLE, table);
        table.forEach(System.out::println);
        together.forEach((cell, hash) -> assertThat(hash).as(cell.toString()).isEqualTo(alone.get(cell.alone())));
    }

    /** The settings that are run with a way to divide the work. */
    private static List<Setting> settings(Job job, String stage) {
        List<Setting> all = PRECISIONS.stream()
                .flatMap(precision -> OPTIMIZERS.stream().map(optimizer -> new Setting(precision, optimizer)))
                .toList();
        // Over all jobs and stages, each setting has its turn.
        int turn = SIZES.indexOf(job.size) + STAGES.indexOf(stage) * SIZES.size();
        return ALL ? all : List.of(all.get(turn % all.size()), all.get((turn + 5) % all.size()));
    }

    // ---- runs ----

    private String alone(Alone run) throws IOException {
        Path output = Files.createTempDirectory(folder, "alone").resolve("out");
        String[] keys = Stream.of(
                        common,
                        run.setting.keys(),
                        List.of("gradient_accumulation_steps=" + run.batches, "output=" + output))
                .flatMap(List::stream)
                .toArray(String[]::new);
        new FineTuning(Recipe.parse("{}", keys)).run();
        return hash(output);
    }

    private Map<Cell, String> together(Job job) throws IOException, InterruptedException {
        Map<Cell, Path> outputs = new LinkedHashMap<>();
        List<String> recipes = new ArrayList<>();
        for (String stage : STAGES) {
            for (Setting setting : settings(job, stage)) {
                Path output = Files.createTempDirectory(folder, stage).resolve("out");
                outputs.put(new Cell(job, stage, setting), output);
                List<String> keys = new ArrayList<>(common);
                keys.addAll(setting.keys());
                keys.add("parallel=" + stage);
                keys.add("output=" + output);
                recipes.add(RankRuns.line(keys));
            }
        }
        Path file = Files.write(Files.createTempFile(folder, "recipes", ".txt"), recipes);
        Path log = Files.createTempFile(folder, "job", ".log");
        Process process = Program.startMain(
                job.launcher.command(job.size), List.of(), RankRuns.class.getName(), List.of(file.toString()), log);
        boolean ended = Program.endsWithin(process, PATIENCE_SECONDS);
        String printed = Files.readString(log);
        assertThat(ended).as("the job ended; it printed:%n%s", printed).isTrue();
        assertThat(process.exitValue()).as(printed).isZero();
        Map<Cell, String> hashes = new LinkedHashMap<>();
        for (Map.Entry<Cell, Path> run : outputs.entrySet()) {
            assertThat(run.getValue().resolve("model.safetensors")).as(printed).exists();
            hashes.put(run.getKey(), hash(run.getValue()));
        }
        return hashes;
    }

    private static String hash(Path output) throws IOException {
        try {
            byte[] model = Files.readAllBytes(output.resolve("model.safetensors"));
            return HexFormat.of().formatHex(MessageDigest.getInstance("SHA-256").digest(model));
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException(e);
        }
    }

    // ---- the table ----

    private static List<String> table(Map<Alone, String> alone, Map<Cell, String> together) {
        List<String> lines = new ArrayList<>();
        lines.add(
                "The first digits of the SHA-256 of model.safetensors after three steps with clipping, an evaluation, and a"
                        + " checkpoint. Processes with a batch each must have the digits of one process that accumulates as many"
                        + " batches.");
        lines.add("");
        lines.add("| MPI | processes | batches each | parallel | precision | " + String.join(" | ", OPTIMIZERS) + " |");
        lines.add("| --- | --- | --- | --- | --- |" + " --- |".repeat(OPTIMIZERS.size()));
        for (int size : SIZES) {
            for (String precision : PRECISIONS) {
                lines.add(row(
                        List.of("none", "1", "" + size, "none", precision),
                        optimizer -> alone.get(new Alone(size, new Setting(precision, optimizer)))));
            }
        }
        List<Job> jobs = together.keySet().stream().map(Cell::job).distinct().toList();
        for (Job job : jobs) {
            for (String stage : STAGES) {
                for (String precision : PRECISIONS) {
                    lines.add(row(
                            List.of(job.launcher.name(), "" + job.size, "1", stage, precision),
                            optimizer -> together.get(new Cell(job, stage, new Setting(precision, optimizer)))));
                }
            }
        }
        lines.add("");
        lines.add(together.size() + " runs of several processes were compared with one process"
                + (ALL ? "." : "; mvn -Psoak makes all runs."));
        lines.addAll(MpiLauncher.missing());
        return lines;
    }

    /** The hash of a run with an optimizer. */
    @FunctionalInterface
    private interface Hashes {
        String of(String optimizer);
    }

    private static String row(List<String> names, Hashes hashes) {
        return Stream.concat(
                        names.stream(),
                        OPTIMIZERS.stream()
                                .map(hashes::of)
                                .map(hash -> hash == null ? NOT_RUN : hash.substring(0, DIGITS)))
                .collect(Collectors.joining(" | ", "| ", " |"));
    }
}
