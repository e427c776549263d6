package io.gradus.train.recipe;

import io.gradus.autograd.Variable;
import io.gradus.optim.Adafactor;
import io.gradus.optim.Adam;
import io.gradus.optim.AdamW;
import io.gradus.optim.AdamW8bit;
import io.gradus.optim.LayerDepth;
import io.gradus.optim.Optimizer;
import io.gradus.optim.ParameterGroup;
import io.gradus.optim.ParameterGroups;
import io.gradus.optim.Sgd;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** Creates the optimizer of a recipe. The keys that each optimizer honors are in {@link Recipe.OptimizerKind}. */
public final class Optimizers {
    private Optimizers() {}

    /**
     * @param custom creates the optimizer in place of the recipe's; null: the recipe's
     * @throws RecipeException if there is a custom optimizer, and the recipe sets keys of another
     */
    public static Optimizer of(Recipe recipe, List<Variable> parameters, Optimizer.@Nullable Factory custom) {
        List<ParameterGroup> groups = groups(recipe, parameters);
        double rate = recipe.learningRate();
        if (custom != null) {
            if (!recipe.optimizerKeys().isEmpty()) {
                throw new RecipeException("the keys " + String.join(", ", recipe.optimizerKeys())
                        + " have no effect with a custom optimizer; remove them from the recipe");
            }
            return custom.create(groups, rate);
        }
        Adam.Settings moments = new Adam.Settings(
                orElse(recipe.beta1(), Adam.Settings.DEFAULT.beta1()),
                orElse(recipe.beta2(), Adam.Settings.DEFAULT.beta2()),
                orElse(recipe.epsilon(), Adam.Settings.DEFAULT.epsilon()));
        return switch (recipe.optimizer()) {
            case ADAMW -> new AdamW(groups, rate, moments);
            case ADAM -> new Adam(groups, rate, moments);
            case SGD ->
                new Sgd(
                        groups,
                        rate,
                        new Sgd.Settings(orElse(recipe.momentum(), 0.9), 0, orElse(recipe.nesterov(), false)));
            case ADAFACTOR -> new Adafactor(groups, rate);
            case ADAMW8BIT -> new AdamW8bit(groups, rate, moments);
        };
    }

    private static <T> T orElse(@Nullable T value, T fallback) {
        return value == null ? fallback : value;
    }

    private static List<ParameterGroup> groups(Recipe recipe, List<Variable> parameters) {
        return recipe.layerDecay() == 1
                ? ParameterGroups.withWeightDecay(parameters, recipe.weightDecay())
                : ParameterGroups.layerwiseDecay(
                        parameters, LayerDepth.of(parameters), recipe.layerDecay(), recipe.weightDecay());
    }
}
