package io.gradus.core.safetensors;

import java.io.IOException;
import java.nio.channels.ClosedByInterruptException;
import java.nio.file.AccessDeniedException;
import java.nio.file.FileSystemException;
import java.nio.file.NoSuchFileException;
import java.nio.file.NotDirectoryException;
import java.nio.file.Path;

/** A file or folder cannot be written, for example because the disk is full. The message names it and the reason. */
public final class WriteException extends IOException {
    private static final long serialVersionUID = 1L;

    /**
     * @param path the file or folder
     * @param cause whose reason becomes part of the message
     */
    public WriteException(Path path, IOException cause) {
        super(path + " cannot be written: " + reason(cause), cause);
    }

    /** Why the operating system refused, without the name of the file. */
    private static String reason(IOException cause) {
        return switch (cause) {
            case WriteException e when e.getCause() instanceof IOException inner -> reason(inner);
            case AccessDeniedException _ -> "permission denied";
            case ClosedByInterruptException _ -> "the thread was interrupted";
            case NoSuchFileException e when e.getReason() == null -> e.getFile() + " does not exist";
            case NotDirectoryException e -> e.getFile() + " is not a folder";
            case FileSystemException e when e.getReason() != null -> e.getReason();
            case FileSystemException e -> e.getFile() + " is in the way";
            default -> String.valueOf(cause.getMessage());
        };
    }
}
