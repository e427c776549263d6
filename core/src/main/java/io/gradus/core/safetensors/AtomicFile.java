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
 * Replaces a file whole. The content goes into a new file beside it, which is forced to the disk and then renamed: at
 * every moment, a loss of power included, the name leads to the old content or to the new. After a failure the new file
 * is deleted; after a kill it remains as {@code NAME.….tmp} and may be deleted.
 */
public final class AtomicFile {

    private AtomicFile() {}

    /** Writes the content of a file. */
    @FunctionalInterface
    public interface Content {
        void write(FileChannel channel) throws IOException;
    }

    /**
     * Writes a file, or leaves it as it was when {@code content} throws. The folder is made when it is missing.
     *
     * @throws IOException when the disk is full, or the file cannot be replaced
     */
    public static void write(Path file, Content content) throws IOException {
        Path target = file.toAbsolutePath();
        Path folder = target.getParent();
        if (folder == null || target.getFileName() == null || Files.isDirectory(target)) {
            throw new IOException(file + ": it is a folder; a file name is needed");
        }
        Files.createDirectories(folder);
        Path temporary = folder.resolve(target.getFileName() + "."
                + HexFormat.of().toHexDigits(ThreadLocalRandom.current().nextLong()) + ".tmp");
        // CREATE_NEW follows no link and takes over no file of somebody else's.
        FileChannel channel = FileChannel.open(temporary, StandardOpenOption.WRITE, StandardOpenOption.CREATE_NEW);
        try {
            try (channel) {
                content.write(channel);
                channel.force(true);
            }
            Files.move(temporary, target, StandardCopyOption.ATOMIC_MOVE);
        } finally {
            Files.deleteIfExists(temporary); // gone already when all went well
        }
        forceFolder(folder);
    }

    /**
     * Writes a file that fits in memory, whole or not at all.
     *
     * @throws IOException when the disk is full, or the file cannot be replaced
     */
    public static void write(Path file, byte[] content) throws IOException {
        write(file, channel -> SafetensorsWriter.writeFully(channel, ByteBuffer.wrap(content)));
    }

    /** {@link #write(Path, byte[])} of text in UTF-8. */
    public static void write(Path file, String content) throws IOException {
        write(file, content.getBytes(StandardCharsets.UTF_8));
    }

    /** Makes renames and deletions in a folder outlast a loss of power, where the system has a way to say so. */
    static void forceFolder(Path folder) {
        try (FileChannel channel = FileChannel.open(folder, StandardOpenOption.READ)) {
            channel.force(true);
        } catch (IOException e) {
            // Windows does not open folders; its file system keeps a journal of renames instead.
        }
    }
}
