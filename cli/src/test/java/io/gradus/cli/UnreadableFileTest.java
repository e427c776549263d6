package io.gradus.cli;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.gradus.train.TinyModel;
import java.io.IOException;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.file.AccessDeniedException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** A file whose reading fails, as on a damaged disk, is named by every command that needs it. */
class UnreadableFileTest {
    private static final Path UNREADABLE = Path.of("/proc/self/mem"); // the first byte of a process is never mapped

    @TempDir
    private Path folder;

    @BeforeEach
    void write() {
        assumeTrue(Files.exists(UNREADABLE), "there is no /proc");
        TinyModel.write(folder.resolve("model"));
        TinyModel.writeText(folder.resolve("text.txt"), 60);
    }

    private String failed(String command) {
        StringWriter out = new StringWriter();
        StringWriter err = new StringWriter();
        String[] words = command.split(" ");
        for (int i = 0; i < words.length; i++) {
            words[i] = words[i].replace("DIR", folder.toString());
        }
        int code = Main.run(new PrintWriter(out), new PrintWriter(err), words);
        assertThat(code).as(err.toString()).isOne();
        assertThat(err.toString()).doesNotContain("Exception", "this is a bug");
        return err.toString();
    }

    private Path replace(String name) throws IOException {
        Path file = folder.resolve(name);
        Files.deleteIfExists(file);
        return Files.createSymbolicLink(file, UNREADABLE);
    }

    @ParameterizedTest
    @CsvSource({
        "finetune DIR/recipe.yaml, recipe.yaml",
        "memory DIR/recipe.yaml, recipe.yaml",
        "lr DIR/recipe.yaml, recipe.yaml",
        "finetune model.path=DIR/model data.train=DIR/text.txt output=DIR/out steps=1, text.txt",
        "finetune model.path=DIR/model data.train=DIR/text.txt output=DIR/out steps=1, model/config.json",
        "finetune model.path=DIR/model data.train=DIR/text.txt output=DIR/out steps=1, model/tokenizer.json",
        "finetune model.path=DIR/model data.train=DIR/text.txt output=DIR/out steps=1, model/generation_config.json",
        "finetune model.path=DIR/model data.train=DIR/text.txt output=DIR/out data.chat_template=DIR/c.jinja, c.jinja",
        "evaluate --model DIR/model --data DIR/text.txt, text.txt",
        "evaluate --model DIR/model --data DIR/text.txt, model/config.json",
        "evaluate --model DIR/model --data DIR/text.txt, model/tokenizer_config.json",
        "generate --model DIR/model, model/tokenizer.json",
        "generate --model DIR/model, model/config.json",
        "inspect DIR/model, model/config.json",
        "memory --model DIR/model, model/config.json",
        "delta diff DIR/model DIR/model -o DIR/d, model/config.json"
    })
    void fileIsNamed(String command, String name) throws IOException {
        Path file = replace(name);
        assertThat(failed(command)).contains(file + " cannot be read: Input/output error; copy or download it again");
        assertThat(folder.resolve("out")).doesNotExist();
        Files.delete(file);
    }

    @Test
    void fileWithoutPermissionIsNamedWithTheWayOut() {
        assertThat(ErrorMessage.of(new AccessDeniedException("model/config.json")))
                .isEqualTo("model/config.json cannot be opened: permission denied; give this user the right to it"
                        + " (chmod, chown), or copy it");
    }
}
