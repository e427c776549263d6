package io.gradus.train.recipe;

import org.jspecify.annotations.Nullable;

/** A recipe that cannot be run: an unknown key, a value of the wrong kind, or a combination that makes no sense. */
public final class RecipeException extends IllegalArgumentException {
    private static final long serialVersionUID = 1L;

    private static final int MAX_VALUE = 200;

    /**
     * @param message names the key and the way out
     */
    public RecipeException(String message) {
        super("recipe: " + message);
    }

    /**
     * A value for a message: one line, and no more of it than a reader wants to see.
     *
     * @param value any value
     */
    public static String brief(@Nullable Object value) {
        String line = String.valueOf(value).replaceAll("\\s*\\R\\s*", " ");
        return line.length() <= MAX_VALUE ? line : line.substring(0, MAX_VALUE) + "…";
    }
}
