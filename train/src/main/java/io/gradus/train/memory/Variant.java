package io.gradus.train.memory;

import io.gradus.train.Recipe;
import java.util.List;

/**
 * A recipe with some keys changed.
 *
 * @param name for a person
 * @param overrides {@code key=value}
 */
public record Variant(String name, List<String> overrides) {

    /** Ways to train the same model that differ in memory, the largest first. */
    static final List<Variant> SETTINGS = List.of(
            new Variant("AdamW, F32", "optimizer=adamw"),
            new Variant("SGD with momentum, F32", "optimizer=sgd", "momentum=0.9"),
            new Variant("SGD, F32", "optimizer=sgd", "momentum=0", "nesterov=false"));

    Variant(String name, String... overrides) {
        this(name, List.of(overrides));
    }

    /**
     * The changed recipe.
     *
     * @throws io.gradus.train.RecipeException when the change does not go together with the rest of it
     */
    public Recipe of(Recipe recipe) {
        return Recipe.parse(recipe.toYaml(), overrides.toArray(String[]::new));
    }
}
