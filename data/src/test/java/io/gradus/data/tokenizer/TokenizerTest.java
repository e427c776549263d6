package io.gradus.data.tokenizer;

import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class TokenizerTest {
    @TempDir
    private Path folder;

    @Test
    void missingFolderIsNamed() {
        Path missing = folder.resolve("nowhere");
        assertThatThrownBy(() -> Tokenizer.load(missing))
                .isInstanceOf(IOException.class)
                .hasMessageContaining(missing.toString())
                .hasMessageContaining("does not exist");
    }

    @Test
    void folderWithoutTokenizerNamesTheMissingFile() {
        assertThatThrownBy(() -> Tokenizer.load(folder))
                .isInstanceOf(IOException.class)
                .hasMessageContaining(folder.toString())
                .hasMessageContaining("no tokenizer.json");
    }

    @Test
    void sentencePieceModelIsRejectedWithTheConversion() throws IOException {
        Files.write(folder.resolve("tokenizer.model"), new byte[] {10, 1});
        assertThatThrownBy(() -> Tokenizer.load(folder))
                .isInstanceOf(IOException.class)
                .hasMessageContaining("tokenizer.model")
                .hasMessageContaining("AutoTokenizer.from_pretrained")
                .hasMessageContaining("save_pretrained");
    }
}
