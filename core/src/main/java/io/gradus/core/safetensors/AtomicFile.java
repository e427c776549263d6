package io.gradus.core.safetensors;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.util.HexFormat;
import java.util.concurrent.ThreadLocalRandom;

/**
 * Replaces a file atomically. The content is written to a new file next to it, forced to disk, and renamed. At any moment, even
 * in a power failure, the name refers to either the old or the new content. After an exception the new file is deleted; if the
 * process is killed it remains as {@code NAME.….tmp} and can be deleted.
 */
public final class AtomicFile {

    private AtomicFile() {}

    /** Writes the content of a file. */
    @FunctionalInterface
    public interface Content {
        void write(FileChannel channel) throws IOException;
    }

    /**
     * Writes a file, or leaves it unchanged if {@code content} throws. Creates the folder if it is missing.
     *
     * @throws SafetensorsException if {@code content} throws it
     * @throws WriteException if the disk is full or the file cannot be replaced; names the file
     */
    public static void write(Path file, Content content) throws IOException {
        Path target = file.toAbsolutePath();
        Path folder = target.getParent();
        if (folder == null || target.getFileName() == null || Files.isDirectory(target)) {
            throw new IOException(file + ": is a folder; pass the name of a file");
        }
        try {
            replace(folder, target, content);
        } catch (SafetensorsException e) {
            throw e;
        } catch (IOException e) {
            throw new WriteException(file, e);
        }
    }

    private static void replace(Path folder, Path target, Content content) throws IOException {
        Files.createDirectories(folder);
        Path temporary = folder.resolve(target.getFileName() + "."
                + HexFormat.of().toHexDigits(ThreadLocalRandom.current().nextLong()) + ".tmp");
        // CREATE_NEW neither follows links nor opens an existing file.
        FileChannel channel = FileChannel.open(temporary, StandardOpenOption.WRITE, StandardOpenOption.CREATE_NEW);
        try {
            try (channel) {
                content.write(channel);
                channel.force(true);
            }
            Files.move(temporary, target, StandardCopyOption.ATOMIC_MOVE);
        } finally {
            Files.deleteIfExists(temporary); // already renamed on success
        }
        forceFolder(folder);
    }

    /**
     * Writes a file atomically from memory.
     *
     * @throws WriteException if the disk is full or the file cannot be replaced; names the file
     */
    public static void write(Path file, byte[] content) throws IOException {
        write(file, channel -> SafetensorsWriter.writeFully(channel, ByteBuffer.wrap(content)));
    }

    /** {@link #write(Path, byte[])} for text, in UTF-8. */
    public static void write(Path file, String content) throws IOException {
        write(file, content.getBytes(StandardCharsets.UTF_8));
    }

    /** Makes renames and deletions in a folder durable, if the operating system supports it. */
    static void forceFolder(Path folder) {
        try (FileChannel channel = FileChannel.open(folder, StandardOpenOption.READ)) {
            channel.force(true);
        } catch (IOException e) {
            // Windows cannot open folders; its file system journals renames.
        }
    }
}
