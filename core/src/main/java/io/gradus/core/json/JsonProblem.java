package io.gradus.core.json;

import com.fasterxml.jackson.core.JacksonException;
import java.util.regex.Pattern;

/** The problems that the JSON parser finds, in words for users. */
public final class JsonProblem {
    private static final int MAX_LENGTH = 200;

    /** What the parser adds for programmers: its settings, the classes of values, and where it had begun. */
    private static final Pattern INTERNAL =
            Pattern.compile(", from `.*?`(?=\\))|: enable `.*| \\(for JsonToken.*| \\(start marker at .*");

    private static final Pattern TRAILING = Pattern.compile("Trailing token .*");

    private JsonProblem() {}

    /**
     * The problem in a part of one line, without its place.
     *
     * @param e from parsing
     */
    public static String of(JacksonException e) {
        String message =
                String.valueOf(e.getOriginalMessage()).lines().findFirst().orElse("");
        message = INTERNAL.matcher(message).replaceAll("");
        message = TRAILING.matcher(message).replaceFirst("a second value follows the first");
        return brief(message);
    }

    /**
     * As much of a text as a message needs.
     *
     * @param value any value, such as a JSON node
     */
    public static String brief(Object value) {
        String text = value.toString();
        return text.length() <= MAX_LENGTH ? text : text.substring(0, MAX_LENGTH) + "…";
    }
}
