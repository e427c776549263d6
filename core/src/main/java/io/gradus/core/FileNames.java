package io.gradus.core;

import java.nio.file.InvalidPathException;
import java.nio.file.Path;
import java.util.Locale;
import java.util.Optional;

/**
 * The encoding in which this JVM exchanges file names and arguments with the operating system. On Linux the locale of the
 * process decides it, and no flag of {@code java} can change it: with {@code LANG=C}, common in containers, all characters but
 * those of ASCII are lost. Windows and macOS have file names of their own.
 */
public final class FileNames {
    private static final String ENCODING = System.getProperty("sun.jnu.encoding", "UTF-8");
    private static final int SHOWN = 200;

    private FileNames() {}

    /**
     * The path that a text in a file names. Under {@code ISO-8859-1}, {@link Path#of} would name another file.
     *
     * @throws InvalidPathException if no file can have that name, or this JVM would lose characters of it
     */
    public static Path path(String text) {
        obstacle(text).ifPresent(obstacle -> {
            throw new InvalidPathException(text, obstacle);
        });
        return Path.of(text);
    }

    /** Says which text is not a path, why, and what helps. */
    public static String problem(InvalidPathException thrown) {
        String text = thrown.getInput();
        return "'" + (text.length() <= SHOWN ? text : text.substring(0, SHOWN) + "…") + "' is not a path: "
                + obstacle(text).orElse(thrown.getReason());
    }

    /**
     * Says why a text cannot be a file name, or was not read correctly from the command line, and what helps.
     *
     * @return empty if all characters survive
     */
    public static Optional<String> obstacle(String text) {
        return obstacle(text, ENCODING, System.getProperty("os.name"));
    }

    static Optional<String> obstacle(String text, String encoding, String system) {
        boolean limited =
                !encoding.equals("UTF-8") && !system.toLowerCase(Locale.ROOT).startsWith("windows");
        return limited && text.chars().anyMatch(c -> c > 0x7F)
                ? Optional.of("this JVM encodes file names and arguments as " + encoding
                        + ", which loses characters; set the environment variable LC_ALL to C.UTF-8 before starting it")
                : Optional.empty();
    }
}
