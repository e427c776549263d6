package io.gradus.train.recipe;

/** A recipe that cannot be run: an unknown key, a value of the wrong kind, or a combination that makes no sense. */
public final class RecipeException extends IllegalArgumentException {
    private static final long serialVersionUID = 1L;

    /**
     * @param message names the key and the way out
     */
    public RecipeException(String message) {
        super("recipe: " + message);
    }
}
