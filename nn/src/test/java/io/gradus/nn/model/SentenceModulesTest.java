package io.gradus.nn.model;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class SentenceModulesTest {
    @TempDir
    private Path folder;

    private void write(String path) throws IOException {
        Files.writeString(
                folder.resolve(SentenceModules.FILE),
                "[{\"type\": \"sentence_transformers.models.Transformer\", \"path\": \"" + path + "\"}]");
    }

    @Test
    void folderOfAPartIsWithinThatOfTheFile() throws IOException {
        write("0_Transformer");
        assertThat(SentenceModules.read(folder))
                .containsExactly(new SentenceModules("Transformer", folder.resolve("0_Transformer")));
    }

    @Test
    void folderElsewhereIsRejected() throws IOException {
        write("../elsewhere");
        assertThatThrownBy(() -> SentenceModules.read(folder))
                .isInstanceOf(IOException.class)
                .hasMessage(folder.resolve(SentenceModules.FILE)
                        + ": the path of a module is '../elsewhere', which is not in the same folder");
    }

    @Test
    void pathThatIsTooLongIsQuotedInPart() throws IOException {
        write("e".repeat(3000));
        assertThatThrownBy(() -> SentenceModules.read(folder))
                .isInstanceOf(IOException.class)
                .hasMessageContaining("which is too long for the name of a folder")
                .message()
                .hasSizeLessThan(folder.toString().length() + 500);
    }
}
