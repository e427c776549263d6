package io.gradus.cli;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.gradus.train.TinyModel;
import java.nio.charset.Charset;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * A JVM started without the launcher in a locale of ASCII cannot open a file with another name. The error says so, and names the
 * file. Everything else that is not ASCII is read and written.
 */
class AsciiLocaleTest {
    private static final String FIX = "' %s: this JVM encodes file names and arguments as ANSI_X3.4-1968, which loses"
            + " characters; set the environment variable LC_ALL to C.UTF-8 before starting it";

    @TempDir
    private Path folder;

    private List<String> keys = List.of();

    @BeforeEach
    void write() {
        assumeTrue(
                System.getProperty("os.name").equals("Linux")
                        && Charset.forName(System.getProperty("sun.jnu.encoding"))
                                .equals(Charset.forName("UTF-8")),
                "the locale of this test must be able to name the files");
        keys = List.of(
                "model.path=" + TinyModel.write(folder.resolve("model")),
                "data.train=" + TinyModel.writeText(folder.resolve("text.txt"), 60),
                "steps=1",
                "batch_size=1",
                "max_eval_blocks=1",
                "sample.max_tokens=2",
                "threads=1");
    }

    /** Runs {@code finetune} with a recipe and the keys, in the folder {@code where}. */
    private String finetune(Path where, String recipe, int code) throws Exception {
        Path file = Files.writeString(folder.resolve("recipe.yaml"), recipe);
        Path output = folder.resolve("out");
        List<String> by = List.of("env", "-C", where.toString(), "-u", "LC_CTYPE", "LC_ALL=C");
        Process process = Program.start(
                by, Stream.concat(Stream.of(file.toString()), keys.stream()).toList(), output);
        assertThat(process.waitFor(120, TimeUnit.SECONDS)).isTrue();
        assertThat(process.exitValue()).as(Program.log(output)).isEqualTo(code);
        return Program.log(output);
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "data: {eval: NAME}",
                "data: {general: NAME}",
                "data: {sources: [{path: NAME}]}",
                "data: {sources: [NAME]}",
                "data: {chat_template: NAME}"
            })
    void pathInARecipeIsNamedWithTheReason(String recipe) throws Exception {
        Path eval = TinyModel.writeText(folder.resolve("dätä 漢.jinja"), 60);
        if (recipe.contains("sources")) {
            keys = keys.stream().filter(key -> !key.startsWith("data.train")).toList();
        }
        assertThat(finetune(folder, recipe.replace("NAME", "'" + eval + "'"), recipe.contains("template") ? 1 : 2))
                .contains("'" + eval + String.format(FIX, "is not a path"));
    }

    @Test
    void currentFolderIsNamedWithTheReason() throws Exception {
        Path where = Files.createDirectory(folder.resolve("dätä"));
        assertThat(finetune(where, "seed: 1", 1))
                .contains("the current folder '" + folder, String.format(FIX, "cannot be read"));
    }

    @Test
    void textIsReadAndWritten() throws Exception {
        assertThat(finetune(folder, "sample: {prompt: 'Größe 漢🙂'}", 0)).contains("Größe 漢🙂");
        assertThat(folder.resolve("out/recipe.yaml")).content().contains("prompt: \"Größe 漢🙂\"");
        assertThat(folder.resolve("out/report.html")).content().contains("Größe 漢🙂");
    }
}
