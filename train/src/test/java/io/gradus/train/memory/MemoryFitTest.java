package io.gradus.train.memory;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatCode;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import io.gradus.nn.model.ModelConfig;
import io.gradus.nn.model.llama.LlamaConfig;
import io.gradus.train.FineTuning;
import io.gradus.train.TinyModel;
import io.gradus.train.recipe.Recipe;
import io.gradus.train.recipe.RecipeException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** A run that does not fit is refused before it starts, and what would fit is named. */
class MemoryFitTest {
    private final ModelConfig config = (LlamaConfig.of(257, 32, 64, 2, 2, 2, 128));

    private MemoryPlan plan(Recipe recipe) {
        return FineTuning.plan(recipe, config, false);
    }

    private void require(Recipe recipe, long capacity) {
        MemoryFit.require(plan(recipe), recipe, this::plan, capacity, "cpu");
    }

    private String refusal(Recipe recipe, long capacity) {
        return catchThrowableOfType(RecipeException.class, () -> require(recipe, capacity))
                .getMessage();
    }

    @Test
    void planThatJustFitsIsAccepted() {
        Recipe recipe = Recipe.defaults();
        long peak = plan(recipe).nativeBytes();
        assertThatCode(() -> require(recipe, peak)).doesNotThrowAnyException();
        assertThatThrownBy(() -> require(recipe, peak - 1)).isInstanceOf(RecipeException.class);
    }

    @Test
    void rejectionShowsThePlanAndSettingsThatFit() {
        Recipe recipe = Recipe.parse("", "batch_size=16", "gradient_accumulation_steps=2");
        MemoryPlan plan = plan(recipe);
        long capacity = plan.process().nativeBytes() + plan.peakBytes() / 3;
        String refusal = refusal(recipe, capacity);
        assertThat(refusal)
                .startsWith("recipe: the run needs ")
                .contains(
                        "and cpu has ", "kB   weights", "kB   optimizer state", "kB   exp_avg_sq", "MB   JVM and code")
                .contains("batch_size=4 gradient_accumulation_steps=8", "data.max_seq_len=32");
        List<String> offered = refusal.lines()
                .dropWhile(line -> !line.startsWith("These settings would fit:"))
                .skip(1)
                .toList();
        assertThat(offered).hasSize(4).allSatisfy(line -> {
            String[] overrides = line.strip().split(" {3}")[1].split(" ");
            assertThatCode(() -> require(recipe.with(overrides), capacity)).doesNotThrowAnyException();
        });
    }

    @Test
    void anotherOptimizerIsSuggested() {
        Recipe recipe = Recipe.parse("", "batch_size=1", "data.max_seq_len=2");
        long capacity = plan(recipe).nativeBytes() - 1000;
        assertThat(refusal(recipe, capacity))
                .contains("   optimizer=sgd momentum=0.9", "   optimizer=sgd momentum=0 nesterov=false")
                .doesNotContain("optimizer=adamw" + System.lineSeparator());
    }

    @Test
    void combinedSettingsAreSuggested() {
        Recipe recipe = Recipe.parse("", "batch_size=16");
        long least = plan(Recipe.parse("", "optimizer=sgd", "momentum=0", "batch_size=1", "data.max_seq_len=32"))
                .nativeBytes();
        assertThat(refusal(recipe, least))
                .contains("optimizer=sgd momentum=0 nesterov=false batch_size=1 data.max_seq_len=32");
    }

    @Test
    void noFittingSettingsIsReported() {
        assertThat(refusal(Recipe.defaults(), 1000))
                .contains("No settings make it fit; the smallest plan needs ", "smaller model");
    }

    @Test
    void runThatDoesNotFitReadsAndWritesNothing(@TempDir Path folder) throws Exception {
        // No machine has the memory, and there are no weights: reading them would fail in another way.
        Path model = Files.createDirectory(folder.resolve("model"));
        LlamaConfig config = LlamaConfig.of(32_000, 16_384, 65_536, 200, 128, 128, 2048);
        Files.writeString(model.resolve("config.json"), config.toJson().toString());
        Path text = TinyModel.writeText(folder.resolve("text.txt"), 20);
        Path output = folder.resolve("output");
        Recipe recipe = Recipe.parse("", "model.path=" + model, "data.train=" + text, "output=" + output);
        assertThatThrownBy(() -> new FineTuning(recipe).run())
                .isInstanceOf(RecipeException.class)
                .hasMessageContaining("the run needs 14 TB")
                .hasMessageContaining("No settings make it fit");
        assertThat(output).doesNotExist();
    }
}
