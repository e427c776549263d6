package io.gradus.train.memory;

import io.gradus.train.recipe.Recipe;
import java.util.List;
import java.util.function.Function;

/** What a model takes with other settings. */
public final class Comparison {
    private Comparison() {}

    /** One way to train it. */
    public record Row(String name, MemoryPlan plan) {}

    /** Plans of a recipe, its own savings left out, with each of {@link Variant#SETTINGS}. */
    public static List<Row> of(Recipe recipe, Function<Recipe, MemoryPlan> planner) {
        Recipe plain = withoutSavings(recipe);
        return Variant.SETTINGS.stream()
                .map(variant -> new Row(variant.name(), planner.apply(variant.of(plain))))
                .toList();
    }

    /** The recipe in F32 and with nothing computed twice or in parts; its optimiser stays. */
    public static Recipe withoutSavings(Recipe recipe) {
        return recipe.with(
                "precision=f32", "activation_checkpointing=false", "optimizer_in_bwd=false", "loss_chunk_size=null");
    }
}
