package io.gradus.train.memory;

import io.gradus.train.recipe.Recipe;
import io.gradus.train.recipe.Recipe.OptimizerKind;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;

/**
 * A recipe with some keys changed.
 *
 * @param name for display
 * @param overrides {@code key=value}
 */
public record Variant(String name, List<String> overrides) {

    private static final String IN_BACKWARD = "optimizer_in_bwd=true";
    private static final String UNCLIPPED = "max_grad_norm=Infinity";
    private static final String ONE_PASS = "gradient_accumulation_steps=1";

    /** Ways to train the same model that need different amounts of memory. */
    static final List<Variant> SETTINGS = List.of(
            new Variant("AdamW, F32", "optimizer=adamw"),
            new Variant("AdamW, mixed precision", "optimizer=adamw", "precision=bf16"),
            new Variant("AdamW, F32, checkpointing", "optimizer=adamw", "activation_checkpointing=true"),
            new Variant(
                    "AdamW, mixed, checkpointing, loss in chunks",
                    "optimizer=adamw",
                    "precision=bf16",
                    "activation_checkpointing=true",
                    "loss_chunk_size=0"),
            new Variant("AdamW, F32, step in backward", "optimizer=adamw", IN_BACKWARD, UNCLIPPED, ONE_PASS),
            new Variant("AdamW with 8-bit moments, F32", "optimizer=adamw8bit"),
            new Variant("Adafactor, F32", "optimizer=adafactor"),
            new Variant("SGD with momentum, F32", "optimizer=sgd", "momentum=0.9"),
            new Variant("SGD, F32", "optimizer=sgd", "momentum=0", "nesterov=false"),
            new Variant(
                    "SGD, mixed, all savings",
                    "optimizer=sgd",
                    "momentum=0",
                    "nesterov=false",
                    "precision=bf16",
                    "activation_checkpointing=true",
                    "loss_chunk_size=0",
                    IN_BACKWARD,
                    UNCLIPPED,
                    ONE_PASS));

    Variant(String name, String... overrides) {
        this(name, List.of(overrides));
    }

    /**
     * The changed recipe.
     *
     * @throws io.gradus.train.recipe.RecipeException if the change contradicts the rest of the recipe
     */
    public Recipe of(Recipe recipe) {
        return recipe.with(adaptedTo(recipe).overrides.toArray(String[]::new));
    }

    /**
     * Adds {@code key=null} for the keys that a recipe sets and that the optimizer of this variant does not honor, such as
     * {@code beta1=null} to {@code optimizer=sgd}.
     */
    Variant adaptedTo(Recipe recipe) {
        List<String> adapted = new ArrayList<>(overrides);
        for (OptimizerKind kind : OptimizerKind.values()) {
            if (overrides.contains("optimizer=" + kind.name().toLowerCase(Locale.ROOT))) {
                recipe.keysWithoutEffect(kind).forEach(key -> adapted.add(key + "=null"));
            }
        }
        return new Variant(name, adapted);
    }
}
