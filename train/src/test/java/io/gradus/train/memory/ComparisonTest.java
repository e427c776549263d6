package io.gradus.train.memory;

import static org.assertj.core.api.Assertions.assertThat;

import io.gradus.nn.model.llama.LlamaConfig;
import io.gradus.train.FineTuning;
import io.gradus.train.recipe.Recipe;
import java.util.List;
import org.junit.jupiter.api.Test;

class ComparisonTest {
    private final List<Comparison.Row> rows = Comparison.of(
            Recipe.defaults(), recipe -> FineTuning.plan(recipe, LlamaConfig.of(257, 32, 64, 2, 2, 2, 256), false));

    @Test
    void comparisonHasOnePlanPerSetting() {
        assertThat(rows)
                .extracting(Comparison.Row::name)
                .containsExactlyElementsOf(
                        Variant.SETTINGS.stream().map(Variant::name).toList());
        assertThat(rows).extracting(row -> row.plan().peakBytes()).doesNotHaveDuplicates();
        assertThat(rows.getFirst().plan().bytesPerParameter()).isEqualTo(16);
    }
}
