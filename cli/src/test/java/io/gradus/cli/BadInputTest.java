package io.gradus.cli;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.DynamicTest.dynamicTest;

import io.gradus.train.TinyModel;
import java.io.IOException;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.TestFactory;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Every command answers every kind of bad input with one message that names it, without a stack trace. */
class BadInputTest {
    @TempDir
    private static Path folder;

    private static Path model = Path.of("");
    private static Path text = Path.of("");

    @BeforeAll
    static void write() throws IOException {
        model = TinyModel.write(folder.resolve("model"));
        text = TinyModel.writeText(folder.resolve("text.txt"), 100);
        byte[] noise = new byte[10_000];
        new Random(1).nextBytes(noise);
        Files.write(folder.resolve("binary"), noise);
        Files.writeString(folder.resolve("empty-file"), "");
        Files.createDirectories(folder.resolve("empty-folder"));
        for (String name : List.of("config.json", "tokenizer.json", "model.safetensors")) {
            Files.createDirectories(folder.resolve("folders").resolve(name));
            Files.write(Files.createDirectories(folder.resolve("noise")).resolve(name), noise);
        }
    }

    /** Commands with a bad path in each place. */
    private static List<List<String>> commands(String bad) {
        String out = folder.resolve("out").toString();
        String train = "data.train=" + text;
        String base = "model.path=" + model;
        return List.of(
                List.of("finetune", bad),
                List.of("finetune", "model.path=" + bad, train, "output=" + out, "steps=1"),
                List.of("finetune", base, "data.train=" + bad, "output=" + out, "steps=1"),
                List.of("finetune", base, train, "data.general=" + bad, "output=" + out),
                List.of("finetune", base, train, "data.eval=" + bad, "output=" + out),
                List.of("finetune", base, "data.train=" + bad, "data.format=csv", "output=" + out),
                List.of("finetune", base, "data.train=" + bad, "data.format=chat", "output=" + out),
                List.of("finetune", bad, "--dry-run"),
                List.of("finetune", "model.path=" + bad, train, "--overfit-one-batch"),
                List.of("finetune", bad, "--resume"),
                List.of("lr", bad),
                List.of("lr", "model.path=" + bad, train),
                List.of("generate", "--model", bad),
                List.of("evaluate", "--model", bad, "--data", text.toString()),
                List.of("evaluate", "--model", model.toString(), "--data", bad),
                List.of("evaluate", "--model", model.toString(), "--data", bad, "--format", "csv"),
                List.of("evaluate", "--model", model.toString(), "--data", bad, "--format", "chat"),
                List.of("inspect", bad),
                List.of("memory", "--model", bad),
                List.of("memory", bad),
                List.of("study", "memory", "--model", bad, train, "-o", out),
                List.of("study", "forgetting", bad, "-o", out),
                List.of("delta", "diff", bad, model.toString(), "-o", out),
                List.of("delta", "diff", model.toString(), bad, "-o", out),
                List.of("delta", "apply", bad, text.toString()),
                List.of("delta", "apply", model.toString(), bad),
                List.of("delta", "info", bad));
    }

    @TestFactory
    List<DynamicTest> badPathGivesOneMessageThatNamesIt() {
        List<DynamicTest> tests = new ArrayList<>();
        for (String bad :
                List.of("missing", "binary/below", "empty-folder", "binary", "empty-file", "folders", "noise")) {
            String path = folder.resolve(bad).toString();
            for (List<String> command : commands(path)) {
                boolean recipe = command.contains(path) && !command.contains(model.toString());
                if (bad.equals("empty-file") && recipe) {
                    continue; // an empty recipe is the default one
                }
                tests.add(dynamicTest(
                        name(command), () -> assertThat(run(command)).contains(path)));
            }
        }
        return tests;
    }

    @TestFactory
    List<DynamicTest> emptyOrImpossiblePathGivesOneMessage() {
        List<DynamicTest> tests = new ArrayList<>();
        for (String bad : List.of("", " ", "a\0b")) {
            for (List<String> command : commands(bad)) {
                tests.add(dynamicTest(
                        name(command), () -> assertThat(run(command)).isNotBlank()));
            }
        }
        return tests;
    }

    @TestFactory
    List<DynamicTest> unknownOptionGivesOneMessageThatNamesIt() {
        return commands("x").stream()
                .map(command ->
                        Stream.concat(command.stream(), Stream.of("--nonsense")).toList())
                .map(command -> dynamicTest(
                        name(command), () -> assertThat(run(command)).contains("--nonsense")))
                .toList();
    }

    @ParameterizedTest
    @CsvSource({
        "--format, json, 'none of auto, text, prompt_completion, chat, csv'",
        "--batch-size, x, --batch-size",
        "--batch-size, 99999999999, --batch-size",
        "--block-length, 1.5, --block-length",
        "--threads, -1, --threads is -1",
        "--device, tpu, --device is 'tpu'"
    })
    void badValueOfAnOptionIsNamed(String option, String value, String message) {
        assertThat(run(List.of("evaluate", "--model", model.toString(), "--data", text.toString(), option, value)))
                .contains(message);
    }

    @ParameterizedTest
    @ValueSource(strings = {"lr", "memory"})
    void chartThatCannotBeWrittenIsNamedBeforeAnythingIsComputed(String command) {
        for (Path svg : List.of(folder, folder.resolve("binary/chart.svg"))) {
            assertThat(run(List.of(command, "--svg", svg.toString()))).contains("--svg " + svg);
        }
    }

    private static String name(List<String> command) {
        return String.join(" ", command).replace(folder.toString(), "").replace('\0', '0');
    }

    /** Runs a command that must fail, and returns its message. */
    private static String run(List<String> command) {
        StringWriter out = new StringWriter();
        StringWriter err = new StringWriter();
        int code = Main.run(new PrintWriter(out), new PrintWriter(err), command.toArray(String[]::new));
        assertThat(code).isIn(1, 2);
        assertThat(err.toString())
                .doesNotContain("\tat ", "Exception", "this is a bug")
                .doesNotContainPattern("\\bnull\\b(?!',)");
        return err.toString();
    }
}
