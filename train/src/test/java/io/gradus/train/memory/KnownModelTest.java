package io.gradus.train.memory;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import io.gradus.core.MemoryCategory;
import io.gradus.train.FineTuning;
import io.gradus.train.memory.RuleOfThumb.Precision;
import io.gradus.train.recipe.Recipe;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** The published table, and the models that it is about. */
class KnownModelTest {

    @ParameterizedTest
    @CsvSource({"llama-7b, 112.0, 3.2, 2", "llama-13b, 208.0, 5.0, 3", "llama-70b, 1120.0, 16.1, 15"})
    void ruleOfThumbGivesThePublishedTable(String name, double model, double activations, int gpus) {
        RuleOfThumb published = KnownModel.of(name).orElseThrow().published();
        assertThat(published.modelBytes() / 1e9).isEqualTo(model, within(0.05));
        assertThat(published.activationBytes(Precision.MIXED) / 1e9).isEqualTo(activations, within(0.05));
        assertThat(published.gpus()).isEqualTo(gpus);
    }

    /** The counts of the released weights. */
    @ParameterizedTest
    @CsvSource({"llama-7b, 6738415616", "llama-13b, 13015864320", "llama-70b, 68976648192"})
    void knownModelHasThePublishedParametersAt16BytesEach(String name, long parameters) {
        MemoryPlan plan = FineTuning.plan(
                Recipe.defaults(), KnownModel.of(name).orElseThrow().config(), false);
        assertThat(plan.parameters()).isEqualTo(parameters);
        assertThat(plan.bytesPerParameter()).isEqualTo(16);
        assertThat(plan.kept()).containsEntry(MemoryCategory.OPTIMIZER_STATE, 8 * parameters);
        assertThat(plan.tokens()).isEqualTo(8 * 256);
    }

    @Test
    void unknownModelIsEmpty() {
        assertThat(KnownModel.of("llama-8b")).isEmpty();
        assertThat(KnownModel.of("LLAMA_7B")).isEmpty();
    }
}
