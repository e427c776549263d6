package io.gradus.core;

import java.io.IOException;
import java.nio.channels.ClosedByInterruptException;
import java.nio.charset.CharacterCodingException;
import java.nio.file.FileSystemException;
import java.nio.file.Files;
import java.nio.file.Path;

/** Reads a file at once. An error names the file, also where the operating system fails only when it reads. */
public final class WholeFile {
    private WholeFile() {}

    /** @throws IOException if the file cannot be read */
    public static byte[] bytes(Path file) throws IOException {
        try {
            return Files.readAllBytes(file);
        } catch (IOException e) {
            throw problem(file, e);
        }
    }

    /**
     * @throws CharacterCodingException if the file is not UTF-8
     * @throws IOException if the file cannot be read
     */
    public static String text(Path file) throws IOException {
        try {
            return Files.readString(file);
        } catch (IOException e) {
            throw problem(file, e);
        }
    }

    /** An error that names the file: the same one, if it does or if its kind says more. */
    public static IOException problem(Path file, IOException thrown) {
        return thrown instanceof FileSystemException
                        || thrown instanceof CharacterCodingException
                        || thrown instanceof ClosedByInterruptException
                ? thrown
                : new IOException(
                        file + " cannot be read: " + thrown.getMessage() + "; copy or download it again", thrown);
    }
}
