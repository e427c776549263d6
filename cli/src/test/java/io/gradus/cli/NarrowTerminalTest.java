package io.gradus.cli;

import static org.assertj.core.api.Assertions.assertThat;

import io.gradus.train.TinyModel;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import picocli.CommandLine;

/** Every command fits a terminal of 60 columns. A file or a pipe gets complete lines and no codes for a terminal. */
class NarrowTerminalTest {
    private static final int WIDTH = 60;

    @TempDir
    private Path folder;

    private Path model = Path.of("");
    private Path text = Path.of("");

    @BeforeEach
    void write() {
        model = TinyModel.write(folder.resolve("model"));
        text = TinyModel.writeText(folder.resolve("text.txt"), 100);
    }

    @AfterEach
    void forgetTerminal() {
        System.clearProperty("gradus.terminal");
        System.clearProperty("gradus.columns");
    }

    /** The lines of a command, without those that have a path of this test. */
    private List<String> lines(String terminals, Object... arguments) {
        System.setProperty("gradus.terminal", terminals);
        System.setProperty("gradus.columns", String.valueOf(WIDTH));
        StringWriter out = new StringWriter();
        PrintWriter writer = new PrintWriter(out);
        int code = Main.run(
                writer, writer, Stream.of(arguments).map(Object::toString).toArray(String[]::new));
        assertThat(code).as(out.toString()).isZero();
        return out.toString()
                .lines()
                .filter(line -> !line.contains(folder.toString()))
                .toList();
    }

    private void assertFits(Object... arguments) {
        for (String terminals : List.of("out", "out,err")) {
            List<String> lines = lines(terminals, arguments);
            assertThat(lines).isNotEmpty();
            assertThat(lines.stream().flatMap(line -> Stream.of(line.split("\r"))))
                    .allSatisfy(line ->
                            assertThat(line.replaceAll("\u001B\\[[\\d;]*m", "")).hasSizeLessThanOrEqualTo(WIDTH));
        }
    }

    private Object[] run(String command, String... more) {
        return Stream.concat(
                        Stream.of(
                                command,
                                "model.path=" + model,
                                "data.train=" + text,
                                "batch_size=2",
                                "sample.max_tokens=0",
                                "max_eval_blocks=2"),
                        Stream.of(more))
                .toArray();
    }

    /** Every command, with its subcommands. */
    static List<String> commands() {
        List<String> commands = new ArrayList<>();
        add("", new CommandLine(new Main()), commands);
        return commands;
    }

    private static void add(String name, CommandLine command, List<String> commands) {
        commands.add(name);
        command.getSubcommands().forEach((sub, inner) -> add((name + " " + sub).strip(), inner, commands));
    }

    @Test
    void allCommandsAreKnown() {
        assertThat(commands()).hasSizeGreaterThanOrEqualTo(15).contains("", "finetune", "delta apply", "study memory");
    }

    @ParameterizedTest
    @MethodSource("commands")
    void helpFits(String command) {
        assertFits(Stream.concat(Stream.of(command.split(" ")).filter(word -> !word.isEmpty()), Stream.of("--help"))
                .toArray());
    }

    @Test
    void finetuneFits() {
        assertFits(run("finetune", "steps=3", "output=" + folder.resolve("out"), "resume=true"));
    }

    @Test
    void dryRunFits() {
        Object[] dry = run("finetune", "--dry-run", "steps=3");
        assertThat(lines("out", dry))
                .filteredOn(line -> !line.startsWith("    │"))
                .allSatisfy(line -> assertThat(line).hasSizeLessThanOrEqualTo(WIDTH));
    }

    @Test
    void overfitOneBatchFits() {
        assertFits(run(
                "finetune",
                "--overfit-one-batch",
                "steps=100",
                "batch_size=1",
                "learning_rate=0.02",
                "data.max_seq_len=8"));
    }

    @Test
    void learningRateFinderFits() {
        assertFits(run("lr", "--steps=20"));
    }

    @Test
    void memoryFits() {
        assertFits("memory", "--model", "llama-7b", "--compare");
        assertFits("memory", "--model", "llama-70b", "--ranks", "8,512");
    }

    @Test
    void evaluateFits() {
        assertFits("evaluate", "--model", model, "--data", text);
    }

    @Test
    void accuracyFits() throws Exception {
        Path labeled = Files.writeString(
                folder.resolve("a.csv"), "text,label\nthe red house,good\nthe blue house by the sea,bad\n");
        assertFits("evaluate", "--model", model, "--data", labeled, "--format", "csv", "--accuracy");
    }

    /** A continuation is text, which a terminal wraps by itself; everything around it fits. */
    @Test
    void generateFits() {
        assertFits("generate", "--model", model, "--prompt", "The", "--max-tokens", 8);
    }

    @Test
    void devicesFit() {
        assertFits("devices");
    }

    @Test
    void deltaFits() throws Exception {
        Path tuned = folder.resolve("tuned");
        lines("", run("finetune", "steps=2", "output=" + tuned));
        Path delta = folder.resolve("a.safetensors");
        assertFits("delta", "diff", model, tuned, "-o", delta);
        assertFits("delta", "info", delta);
        assertFits("delta", "info", delta, "--by", "tensor");
        for (String eos : List.of("1", "2")) {
            Files.writeString(tuned.resolve("generation_config.json"), "{\"eos_token_id\": " + eos + "}");
            assertFits("delta", "diff", model, tuned, "-o", folder.resolve(eos + ".safetensors"));
        }
        for (String each : List.of("out", "out,err")) {
            assertThat(lines(
                            each,
                            "delta",
                            "apply",
                            model,
                            folder.resolve("1.safetensors"),
                            folder.resolve("2.safetensors"),
                            "-o",
                            folder.resolve("both" + each)))
                    .anyMatch(line -> line.contains("caution"))
                    .allSatisfy(line -> assertThat(line.replaceAll(".*\r|\u001B\\[[\\d;]*[mK]", ""))
                            .hasSizeLessThanOrEqualTo(WIDTH));
        }
        assertThat(Files.size(delta)).isPositive();
    }

    @Test
    void pipeGetsCompleteLinesWithoutCodes() {
        assertThat(String.join("\n", lines("err", "memory", "--model", "llama-7b", "--compare")))
                .contains("weights   gradients   optimizer   activations")
                .doesNotContain("\u001B", "\r");
        assertThat(String.join("\n", lines("", run("finetune", "--dry-run", "steps=3"))))
                .contains("⟦")
                .doesNotContain("\u001B", "\r");
        assertThat(String.join("\n", lines("", run("finetune", "steps=3", "output=" + folder.resolve("out")))))
                .contains("loading the model …", "step 3/3  loss")
                .doesNotContain("\u001B", "\r");
    }
}
