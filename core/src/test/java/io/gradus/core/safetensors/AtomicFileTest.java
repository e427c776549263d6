package io.gradus.core.safetensors;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** A file has either the old or the new content. */
class AtomicFileTest {
    @TempDir
    private Path folder;

    private static void write(Path file, String text) throws IOException {
        AtomicFile.write(
                file,
                channel ->
                        SafetensorsWriter.writeFully(channel, ByteBuffer.wrap(text.getBytes(StandardCharsets.UTF_8))));
    }

    @Test
    void oldContentRemainsUntilTheNewIsComplete() throws IOException {
        Path file = folder.resolve("deep/er/file.json");
        write(file, "old");
        AtomicFile.write(file, channel -> {
            SafetensorsWriter.writeFully(channel, ByteBuffer.wrap(new byte[10]));
            assertThat(file).hasContent("old");
            assertThat(RawFile.list(file.getParent())).hasSize(2);
        });
        assertThat(file).hasSize(10);
        assertThat(RawFile.list(file.getParent())).containsExactly("file.json");
    }

    @Test
    void failedWriteKeepsOldContentAndDeletesTemporaryFile() throws IOException {
        Path file = folder.resolve("file.json");
        write(file, "old");
        assertThatThrownBy(() -> AtomicFile.write(file, channel -> {
                    SafetensorsWriter.writeFully(channel, ByteBuffer.wrap(new byte[10]));
                    throw new IOException("No space left on device");
                }))
                .isInstanceOf(WriteException.class)
                .hasMessage(file + " cannot be written: No space left on device");
        assertThat(file).hasContent("old");
        assertThat(RawFile.list(folder)).containsExactly("file.json");
    }

    @Test
    void symbolicLinkIsReplacedAndItsTargetKept() throws IOException {
        Path shared = Files.writeString(folder.resolve("shared"), "old");
        Path link = Files.createSymbolicLink(folder.resolve("link"), shared);
        write(link, "new");
        assertThat(link).hasContent("new");
        assertThat(shared).hasContent("old");
    }

    @Test
    void fileInAFolderThatCannotBeCreatedIsNamedWithTheReason() throws IOException {
        Path file = Files.writeString(folder.resolve("file"), "a file, not a folder");
        assertThatThrownBy(() -> write(file.resolve("deep/new.json"), "new"))
                .isInstanceOf(WriteException.class)
                .hasMessageStartingWith(file.resolve("deep/new.json") + " cannot be written: ");
    }

    @Test
    void interruptedWriteNamesTheFile() {
        Path file = folder.resolve("file.json");
        Thread.currentThread().interrupt();
        try {
            assertThatThrownBy(() -> write(file, "new"))
                    .hasMessage(file + " cannot be written: the thread was interrupted");
        } finally {
            assertThat(Thread.interrupted()).isTrue();
        }
        assertThat(folder).isEmptyDirectory();
    }

    @Test
    void folderIsNotReplaced() {
        assertThatThrownBy(() -> write(folder, "new"))
                .isInstanceOf(IOException.class)
                .hasMessageContaining("is a folder");
    }
}
