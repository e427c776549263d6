package io.gradus.cli;

import io.gradus.core.FileNames;
import java.io.BufferedOutputStream;
import java.io.FileDescriptor;
import java.io.FileOutputStream;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.util.Locale;
import java.util.Optional;

/** Makes the program independent of the locale: all text that it reads and writes is UTF-8. */
final class Utf8 {
    private static final char REPLACEMENT = '\uFFFD';

    private Utf8() {}

    /** Makes standard output and standard error UTF-8, except on Windows, whose terminals have an encoding of their own. */
    static void setStreams() {
        if (!System.getProperty("os.name").toLowerCase(Locale.ROOT).startsWith("windows")) {
            System.setOut(utf8(FileDescriptor.out));
            System.setErr(utf8(FileDescriptor.err));
        }
    }

    private static PrintStream utf8(FileDescriptor descriptor) {
        return new PrintStream(
                new BufferedOutputStream(new FileOutputStream(descriptor)), /* autoFlush */
                true,
                StandardCharsets.UTF_8);
    }

    /**
     * Requires that the arguments are those that the user wrote, and that the current folder is the one the user is in.
     *
     * @throws IllegalArgumentException if characters of one were lost
     */
    static void requireUndamaged(String... arguments) {
        for (String argument : arguments) {
            requireUndamaged("argument", argument);
        }
        requireUndamaged("current folder", System.getProperty("user.dir", "")); // which relative paths are in
    }

    private static void requireUndamaged(String what, String text) {
        FileNames.obstacle(text)
                .or(() -> text.indexOf(REPLACEMENT) < 0 ? Optional.empty() : Optional.of("it is not UTF-8"))
                .ifPresent(obstacle -> {
                    throw new IllegalArgumentException("the " + what + " '" + text + "' cannot be read: " + obstacle);
                });
    }
}
