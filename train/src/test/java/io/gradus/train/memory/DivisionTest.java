package io.gradus.train.memory;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.withinPercentage;

import io.gradus.train.FineTuning;
import io.gradus.train.memory.RuleOfThumb.Precision;
import io.gradus.train.recipe.Recipe;
import io.gradus.train.recipe.Recipe.ParallelKind;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** The plans agree with the formulas of the paper. */
class DivisionTest {
    /** Parts begin at multiples of 2¹⁵ elements, so that the largest is a little larger than the mean. */
    private static final double PERCENT = 0.1;
    /** ZeRO-3 collects once what the end of the forward and the beginning of the backward pass both use. */
    private static final double COLLECTED_ONCE = 3;

    @ParameterizedTest
    @CsvSource({"LLAMA_7B, 8, f32", "LLAMA_7B, 64, bf16", "LLAMA_70B, 8, f32"})
    void planOfAProcessIsThePublishedFormula(KnownModel model, int processes, String precision) {
        Recipe recipe = Recipe.parse("{}", "precision=" + precision, "activation_checkpointing=true");
        for (Division.Row row : Division.of(
                recipe, model.config(), processes, other -> FineTuning.plan(other, model.config(), false, processes))) {
            MemoryPlan plan = row.plan();
            assertThat(row.kept()).as("bytes of " + row.parallel()).isCloseTo(row.formula(), withinPercentage(PERCENT));
            Precision bytes = Division.precision(recipe);
            assertThat(plan.sentBytes())
                    .as("bytes that " + row.parallel() + " sends")
                    .isCloseTo(
                            RuleOfThumb.of(plan, model.config()).sentBytes(bytes, row.parallel(), processes),
                            withinPercentage(row.parallel() == ParallelKind.ZERO3 ? COLLECTED_ONCE : PERCENT));
            assertThat(row.parallel()).isNotEqualTo(ParallelKind.NONE);
        }
    }
}
