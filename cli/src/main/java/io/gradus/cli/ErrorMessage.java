package io.gradus.cli;

import com.fasterxml.jackson.core.JacksonException;
import io.gradus.core.FileNames;
import io.gradus.parallel.CommunicationException;
import io.gradus.train.guard.TrainingException;
import java.io.IOException;
import java.io.InterruptedIOException;
import java.io.UncheckedIOException;
import java.nio.channels.ClosedByInterruptException;
import java.nio.charset.CharacterCodingException;
import java.nio.file.AccessDeniedException;
import java.nio.file.DirectoryNotEmptyException;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.FileSystemException;
import java.nio.file.InvalidPathException;
import java.nio.file.NoSuchFileException;
import java.nio.file.NotDirectoryException;

/** Describes an exception in one message. The user can fix the cause of most; any other is a bug and is said to be one. */
final class ErrorMessage {
    private ErrorMessage() {}

    static String of(Throwable thrown) {
        return switch (thrown) {
            case UncheckedIOException e when e.getCause() != null -> unchecked(e, e.getCause());
            case IOException e -> io(e);
            case InvalidPathException e -> FileNames.problem(e);
            case InterruptedException _ -> "interrupted";
            case OutOfMemoryError e ->
                "out of memory (" + e.getMessage()
                        + "): give the JVM more memory with GRADUS_JAVA_OPTS=-Xmx8g, or use a"
                        + " smaller batch_size or data.max_seq_len";
            case IllegalArgumentException e when e.getMessage() != null -> e.getMessage();
            case IllegalStateException e when e.getMessage() != null -> e.getMessage();
            case CommunicationException e when e.getMessage() != null -> e.getMessage();
            case TrainingException e when e.getMessage() != null -> e.getMessage();
            default -> bug(thrown);
        };
    }

    private static String unchecked(UncheckedIOException thrown, IOException cause) {
        String message = thrown.getMessage();
        return message == null || message.equals(cause.toString()) ? io(cause) : message + ": " + io(cause);
    }

    private static String io(IOException thrown) {
        String message = thrown.getMessage();
        return switch (thrown) {
            case NoSuchFileException e -> e.getFile() + " is missing";
            case AccessDeniedException e ->
                e.getFile()
                        + " cannot be opened: permission denied; give this user the right to it (chmod, chown), or copy it";
            case FileAlreadyExistsException e -> e.getFile() + " already exists and is not a folder";
            case NotDirectoryException e -> e.getFile() + " is not a folder";
            case DirectoryNotEmptyException e -> e.getFile() + " is not empty";
            case FileSystemException e when e.getReason() != null -> e.getFile() + ": " + e.getReason();
            case FileSystemException e -> e.getFile() + " cannot be read or written";
            case ClosedByInterruptException _ -> "interrupted while a file was read or written";
            case InterruptedIOException e when message == null -> "interrupted while a file was read or written";
            case CharacterCodingException _ -> "a file is not UTF-8 text (" + message + ")";
            case JacksonException e -> String.valueOf(e.getOriginalMessage());
            default -> message == null ? bug(thrown) : message;
        };
    }

    /** Names the place, which a report needs. {@code -Dgradus.trace=true} prints the stack trace, too. */
    private static String bug(Throwable thrown) {
        if (Boolean.getBoolean("gradus.trace")) {
            thrown.printStackTrace();
        }
        StackTraceElement[] trace = thrown.getStackTrace();
        return "this is a bug in Gradus; please report it: " + thrown
                + (trace.length == 0 ? "" : ", at " + trace[0])
                + " (GRADUS_JAVA_OPTS=-Dgradus.trace=true prints more)";
    }
}
