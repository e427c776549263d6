package io.gradus.cli;

import io.gradus.train.recipe.Recipe;
import io.gradus.train.recipe.RecipeException;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/** Parses the arguments of a command into a recipe: an optional file, then keys that override it. */
final class RecipeArguments {
    private RecipeArguments() {}

    /**
     * Reads the recipe.
     *
     * @param arguments {@code [recipe.yaml] [key=value]...}
     */
    static Recipe recipe(List<String> arguments) throws IOException {
        if (arguments.stream().anyMatch(String::isBlank)) {
            throw new RecipeException("an argument is empty; write the path of a recipe, or key=value");
        }
        List<String> overrides = new ArrayList<>(arguments);
        Path file =
                !overrides.isEmpty() && !overrides.getFirst().contains("=") ? Path.of(overrides.removeFirst()) : null;
        String[] keys = overrides.toArray(String[]::new);
        return file == null ? Recipe.parse("", keys) : Recipe.read(file, keys);
    }
}
