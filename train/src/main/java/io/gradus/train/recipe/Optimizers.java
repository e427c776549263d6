package io.gradus.train.recipe;

import io.gradus.autograd.Variable;
import io.gradus.core.DType;
import io.gradus.core.Device;
import io.gradus.core.MemoryCategory;
import io.gradus.core.Shape;
import io.gradus.core.Tensor;
import io.gradus.optim.Adafactor;
import io.gradus.optim.Adam;
import io.gradus.optim.AdamW;
import io.gradus.optim.AdamW8bit;
import io.gradus.optim.LayerDepth;
import io.gradus.optim.Optimizer;
import io.gradus.optim.ParameterGroup;
import io.gradus.optim.ParameterGroups;
import io.gradus.optim.Sgd;
import io.gradus.optim.Sharding;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** Creates the optimizer of a recipe. The keys that each optimizer honors are in {@link Recipe.OptimizerKind}. */
public final class Optimizers {
    private Optimizers() {}

    /**
     * @param groups as of {@link #groups}
     * @param custom creates the optimizer in place of the recipe's; null: the recipe's
     * @throws RecipeException if there is a custom optimizer, and the recipe sets keys of another
     */
    public static Optimizer of(Recipe recipe, List<ParameterGroup> groups, Optimizer.@Nullable Factory custom) {
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

    /** How the optimizer that {@link #of} creates may be divided among processes. */
    public static Sharding sharding(Recipe recipe, Optimizer.@Nullable Factory custom) {
        Tensor one = Tensor.empty(Device.meta(), DType.F32, Shape.of(1), MemoryCategory.WEIGHTS);
        Variable any = Variable.parameter("any", one);
        return of(recipe, ParameterGroups.single(List.of(any), 0), custom).sharding();
    }

    /** The recipe's learning rates and weight decays for the parameters of a model. */
    public static List<ParameterGroup> groups(Recipe recipe, List<Variable> parameters) {
        return recipe.layerDecay() == 1
                ? ParameterGroups.withWeightDecay(parameters, recipe.weightDecay())
                : ParameterGroups.layerwiseDecay(
                        parameters, LayerDepth.of(parameters), recipe.layerDecay(), recipe.weightDecay());
    }
}
