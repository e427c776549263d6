package io.gradus.train.memory;

import io.gradus.core.MemoryCategory;
import io.gradus.nn.model.ModelConfig;
import io.gradus.train.memory.RuleOfThumb.Precision;
import io.gradus.train.recipe.Recipe;
import io.gradus.train.recipe.Recipe.ParallelKind;
import io.gradus.train.recipe.Recipe.PrecisionKind;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.function.Function;
import java.util.stream.Stream;

/** Compares the ways to divide the training of a model among processes: the plan of a process, and what the literature says. */
public final class Division {
    private Division() {}

    /**
     * One way.
     *
     * @param plan of the process with the largest part of the model
     * @param formula bytes of weights, gradients and optimizer state with AdamW, by {@link RuleOfThumb}
     */
    public record Row(ParallelKind parallel, MemoryPlan plan, long formula) {
        /** The planned bytes of what the formula counts: weights, gradients and optimizer state between steps. */
        public long kept() {
            return Stream.of(MemoryCategory.WEIGHTS, MemoryCategory.GRADIENTS, MemoryCategory.OPTIMIZER_STATE)
                    .mapToLong(category -> plan.kept().getOrDefault(category, 0L))
                    .sum();
        }
    }

    /** Plans a recipe with each of {@link ParallelKind}. */
    public static List<Row> of(Recipe recipe, ModelConfig config, int processes, Function<Recipe, MemoryPlan> planner) {
        return Arrays.stream(ParallelKind.values())
                .filter(parallel -> parallel != ParallelKind.NONE)
                .map(parallel -> {
                    String name = parallel.name().toLowerCase(Locale.ROOT);
                    MemoryPlan plan = planner.apply(recipe.with("parallel=" + name));
                    long formula = RuleOfThumb.of(plan, config).modelBytes(precision(recipe), parallel, processes);
                    return new Row(parallel, plan, formula);
                })
                .toList();
    }

    /** The precision of the formula: weights and gradients of a recipe have 16 bits, or 32. */
    public static Precision precision(Recipe recipe) {
        return recipe.memory().precision() == PrecisionKind.F32 ? Precision.F32 : Precision.MIXED;
    }
}
