package io.gradus.train.checkpoint;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** A folder goes with all that is in it, and with nothing that a link in it leads to. */
class FoldersTest {
    @TempDir
    private Path folder;

    @Test
    void deleteRemovesAFolderWithItsContents() throws IOException {
        Path kept =
                Files.writeString(Files.createDirectory(folder.resolve("other")).resolve("file"), "kept");
        Path doomed = folder.resolve("doomed");
        Files.createDirectories(doomed.resolve("a/b"));
        Files.writeString(doomed.resolve("a/b/file"), "x");
        Files.createSymbolicLink(doomed.resolve("link"), kept.getParent());

        Folders.delete(doomed);
        Folders.delete(doomed);

        assertThat(doomed).doesNotExist();
        assertThat(kept).hasContent("kept");
    }
}
