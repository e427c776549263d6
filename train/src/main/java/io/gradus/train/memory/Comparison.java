package io.gradus.train.memory;

import io.gradus.train.recipe.Recipe;
import java.util.List;
import java.util.function.Function;

/** Compares the memory of a run with other settings. */
public final class Comparison {
    private Comparison() {}

    /** The plan of one variant. */
    public record Row(String name, MemoryPlan plan) {}

    /** Plans a recipe with each of {@link Variant#SETTINGS}, without its own memory savings. */
    public static List<Row> of(Recipe recipe, Function<Recipe, MemoryPlan> planner) {
        Recipe plain = withoutSavings(recipe);
        return Variant.SETTINGS.stream()
                .map(variant -> new Row(variant.name(), planner.apply(variant.of(plain))))
                .toList();
    }

    /** The recipe with the same optimizer, in F32, and without memory savings. */
    public static Recipe withoutSavings(Recipe recipe) {
        return recipe.with(
                "precision=f32", "activation_checkpointing=false", "optimizer_in_bwd=false", "loss_chunk_size=null");
    }
}
