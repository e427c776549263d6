package io.gradus.cli;

import static org.assertj.core.api.Assertions.assertThat;

import io.gradus.train.TinyModel;
import java.io.IOException;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HexFormat;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.TreeMap;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Every command reads and writes the same in every locale: with other digits, a decimal comma, and an i without a dot. */
class LocaleCommandsTest {
    @TempDir
    private static Path shared;

    private static final Locale USUAL = Locale.getDefault();

    /** What the commands write in American English: files by name, and output by command. */
    private static Map<String, String> expected = Map.of();

    @TempDir
    private Path folder;

    @BeforeAll
    static void write() throws IOException {
        TinyModel.write(shared.resolve("model"));
        TinyModel.writeText(shared.resolve("text.txt"), 60);
        expected = run("en-US", Files.createDirectory(shared.resolve("en")));
    }

    @AfterEach
    void restore() {
        Locale.setDefault(USUAL);
    }

    private static String gradus(String... arguments) {
        StringWriter out = new StringWriter();
        StringWriter err = new StringWriter();
        int code = Main.run(new PrintWriter(out), new PrintWriter(err), arguments);
        assertThat(code).as(String.join(" ", arguments) + "\n" + out + err).isZero();
        return out.toString();
    }

    /** Trains, resumes, and reads the results with every command whose output is the same each time. */
    private static Map<String, String> run(String locale, Path folder) throws IOException {
        Locale.setDefault(Locale.forLanguageTag(locale));
        Path out = folder.resolve("out");
        String[] finetune = {
            "finetune",
            "model.path=" + shared.resolve("model"),
            "data.train=" + shared.resolve("text.txt"),
            "output=" + out,
            "steps=12",
            "batch_size=2",
            "learning_rate=0.01",
            "eval_steps=5",
            "max_eval_blocks=2",
            "save_steps=5",
            "sample.max_tokens=4",
            "threads=1",
            "resume=true"
        };
        gradus(finetune);
        Map<String, String> written = new TreeMap<>();
        written.put("checkpoints", names(out.resolve("checkpoints")).toString());
        Files.delete(out.resolve("model.safetensors"));
        assertThat(gradus(finetune)).contains("resuming   after step 10 of 12");

        String model = out.toString();
        String base = shared.resolve("model").toString();
        String delta = folder.resolve("delta.safetensors").toString();
        Map<String, String> printed = new TreeMap<>();
        printed.put("inspect", gradus("inspect", model));
        printed.put(
                "evaluate",
                gradus(
                        "evaluate",
                        "--model",
                        model,
                        "--data",
                        shared.resolve("text.txt").toString()));
        printed.put("diff", gradus("delta", "diff", base, model, "-o", delta));
        printed.put("info", gradus("delta", "info", delta));
        printed.put(
                "apply",
                gradus(
                        "delta",
                        "apply",
                        base,
                        delta + ":0.5",
                        "-o",
                        folder.resolve("half").toString()));
        printed.put(
                "memory",
                gradus(
                        "memory",
                        "--model",
                        base,
                        "--svg",
                        folder.resolve("memory.svg").toString()));
        printed.forEach((name, text) -> written.put(name, text.replace(folder.toString(), "FOLDER")));
        for (String file : List.of(
                "out/model.safetensors",
                "out/config.json",
                "out/checkpoints/step-000010/state.json",
                "out/checkpoints/step-000010/optimizer.safetensors",
                "delta.safetensors",
                "half/model.safetensors",
                "memory.svg")) {
            byte[] content = Files.readAllBytes(folder.resolve(file));
            written.put(
                    file,
                    file.endsWith(".safetensors")
                            ? HexFormat.of().formatHex(content)
                            : new String(content, StandardCharsets.UTF_8).replace(folder.toString(), "FOLDER"));
        }
        written.put("recipe", Files.readString(out.resolve("recipe.yaml")).replace(folder.toString(), "FOLDER"));
        written.put(
                "metrics",
                Files.readString(out.resolve("metrics.jsonl")).replaceAll(",\"tokens_per_second\":\\d+", ""));
        written.put("report", Files.readString(out.resolve("report.html")).replaceAll("[^\\p{Nd}]|[0-9]", ""));
        return written;
    }

    private static List<String> names(Path folder) throws IOException {
        try (Stream<Path> files = Files.list(folder)) {
            return files.map(file -> file.getFileName().toString()).sorted().toList();
        }
    }

    @Test
    void expectedCheckpointIsTheNewestOfThose() {
        assertThat(expected).containsEntry("checkpoints", "[step-000010]").containsEntry("report", "");
    }

    @ParameterizedTest
    @ValueSource(strings = {"ar-EG", "fa-IR", "tr-TR", "de-DE"})
    void trainingResumingAndReadingGiveTheSameBytes(String locale) throws IOException {
        Map<String, String> written = run(locale, folder);

        written.forEach((name, content) -> assertThat(content).as(name).isEqualTo(expected.get(name)));
        assertThat(written).hasSameSizeAs(expected);
    }
}
