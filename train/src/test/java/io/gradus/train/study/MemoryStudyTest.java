package io.gradus.train.study;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.gradus.train.FineTuning;
import io.gradus.train.TinyModel;
import io.gradus.train.memory.Variant;
import io.gradus.train.recipe.Recipe;
import io.gradus.train.recipe.RecipeException;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Every rung of the ladder trains, takes what was planned, and no more than the rung before. */
class MemoryStudyTest {
    @TempDir
    private Path folder;

    @Test
    void everyVariantTakesThePlannedMemory() throws IOException {
        Path model = TinyModel.write(folder.resolve("model"));
        Path text = TinyModel.writeText(folder.resolve("text.txt"), 200);
        Path out = folder.resolve("study");
        Recipe recipe = Recipe.parse("""
            {model: {path: '%s'}, data: {train: '%s'}, steps: 3, batch_size: 8, max_eval_blocks: 8, threads: 1,
             check_first_loss: false}
            """.formatted(model, text));
        List<MemoryStudy.Row> rows = MemoryStudy.run(recipe, out, FineTuning::builder, _ -> {});

        assertThat(rows).hasSize(MemoryStudy.rungs().size()).allSatisfy(row -> {
            assertThat(row.error()).as(row.variant().name()).isBetween(-0.05, 0.05);
            assertThat(row.loss()).as(row.variant().name()).isFinite();
            assertThat(row.tokensPerSecond()).isPositive();
        });
        assertThat(rows.getLast().measured()).isLessThan(rows.getFirst().measured());
    }

    @Test
    void variantsIgnoreTheRecipesOwnSavings() throws IOException {
        String saving = """
            {model: {path: '%s'}, data: {train: '%s'}, steps: 1, batch_size: 2, max_eval_blocks: 1, threads: 1,
             check_first_loss: false, optimizer: sgd, momentum: 0.9, nesterov: true, precision: bf16,
             activation_checkpointing: true, loss_chunk_size: 8}
            """.formatted(
                        TinyModel.write(folder.resolve("model")), TinyModel.writeText(folder.resolve("text.txt"), 200));
        Recipe accumulating = Recipe.parse(saving, "gradient_accumulation_steps=2");
        Recipe inBackward = Recipe.parse(saving, "optimizer_in_bwd=true", "max_grad_norm=Infinity");
        List<Variant> ends =
                List.of(MemoryStudy.rungs().getFirst(), MemoryStudy.rungs().getLast());

        MemoryStudy.run(accumulating, folder.resolve("one"), FineTuning::builder, _ -> {}, ends);
        MemoryStudy.run(inBackward, folder.resolve("two"), FineTuning::builder, _ -> {}, ends);
        for (String study : List.of("one", "two")) {
            Recipe first = Recipe.read(folder.resolve(study).resolve("recipe.yaml"));
            assertThat(first.optimizer()).isEqualTo(Recipe.OptimizerKind.ADAMW);
            assertThat(first.gradientAccumulationSteps()).isEqualTo(1);
            assertThat(first.memory()).isEqualTo(Recipe.defaults().memory());
        }
    }

    @Test
    void invalidVariantIsRejectedBeforeTheFirstRun() {
        Path out = folder.resolve("study");
        List<Variant> rungs =
                List.of(MemoryStudy.rungs().getFirst(), new Variant("clipped", List.of("optimizer_in_bwd=true")));

        assertThatThrownBy(() -> MemoryStudy.run(Recipe.parse("", "steps=1"), out, FineTuning::builder, _ -> {}, rungs))
                .isInstanceOf(RecipeException.class)
                .hasMessageContaining("max_grad_norm=Infinity");
        assertThat(out).doesNotExist();
    }
}
