package io.gradus.train.study;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.gradus.nn.model.ModelFolder;
import io.gradus.train.FineTuning;
import io.gradus.train.TinyModel;
import io.gradus.train.recipe.Recipe;
import io.gradus.train.recipe.RecipeException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The study samples its general text, trains the variants from the same start, and writes what came of each. */
class ForgettingStudyTest {
    @TempDir
    private Path folder;

    private Path model;
    private Path text;

    @BeforeEach
    void writeModelAndText() {
        model = TinyModel.write(folder.resolve("model"));
        text = TinyModel.writeText(folder.resolve("text.txt"), 60);
    }

    private Recipe recipe(String... keys) {
        String yaml = """
            {model: {path: '%s'}, data: {train: '%s'}, steps: 3, batch_size: 2, max_eval_blocks: 2, learning_rate: 0.01,
             warmup_ratio: 0, check_first_loss: false, ewc_samples: 2, threads: 1}
            """.formatted(model, text);
        return Recipe.parse(yaml, keys);
    }

    @Test
    void l2SpForgetsLessAndIsExactAtExtremeStrengths() throws IOException {
        List<String> news = new ArrayList<>();
        Path out = folder.resolve("study");
        ForgettingStudy.Outcome outcome = ForgettingStudy.prepare(
                        recipe(), out, FineTuning::builder, news::add, List.of("plain", "L2-SP, λ = 1000"))
                .run(_ -> {});

        assertThat(outcome.rows()).hasSize(2);
        ForgettingStudy.Row plain = outcome.rows().getFirst();
        ForgettingStudy.Row held = outcome.rows().getLast();
        assertThat(held.taskBefore()).isEqualTo(plain.taskBefore());
        assertThat(held.generalBefore()).isEqualTo(plain.generalBefore());
        assertThat(plain.learned()).isPositive();
        assertThat(held.learned()).isPositive().isLessThan(plain.learned());

        assertThat(outcome.limits().steps()).isEqualTo(3);
        assertThat(outcome.limits().zeroIsPlain()).isTrue();
        assertThat(outcome.limits().largestMove()).isLessThan(1e-20);

        assertThat(Files.readString(out.resolve("general.jsonl"))).startsWith("{\"text\":");
        assertThat(news).anyMatch(line -> line.startsWith("2/2 L2-SP, λ = 1000"));
    }

    @Test
    void rowsAreReportedAfterEveryRun() throws IOException {
        List<Integer> sizes = new ArrayList<>();
        ForgettingStudy.prepare(
                        recipe(),
                        folder.resolve("study"),
                        FineTuning::builder,
                        _ -> {},
                        List.of("plain", "WiSE-FT, α = 0.5"))
                .run(rows -> sizes.add(rows.size()));
        assertThat(sizes).containsExactly(1, 2);
    }

    @Test
    void variantsAreDistinctRecipes() throws IOException {
        Recipe recipe = recipe("data.general=" + text);
        var variants = ForgettingVariants.of(recipe, ModelFolder.open(model).config(), text);

        assertThat(variants.stream().map(variant -> variant.of(recipe)).distinct())
                .hasSize(variants.size());
        assertThat(variants.getFirst().of(recipe)).isEqualTo(recipe);
        assertThat(variants.stream().map(variant -> variant.name()))
                .contains("a tenth of the rate", "replay 5%", "replay 10%", "EWC, λ = 100", "lower half frozen");
    }

    @Test
    void evaluatedSamplesAreNotReplayed() throws IOException {
        Path out = folder.resolve("study");
        ForgettingStudy.prepare(recipe(), out, FineTuning::builder, _ -> {}, List.of("plain"));

        List<String> evaluated = Files.readAllLines(out.resolve("general.jsonl"));
        assertThat(evaluated).isNotEmpty().doesNotContainAnyElementsOf(Files.readAllLines(out.resolve("known.jsonl")));
    }

    @Test
    void sameSeedSamplesTheSameText() throws IOException {
        ForgettingStudy.prepare(recipe(), folder.resolve("one"), FineTuning::builder, _ -> {}, List.of("plain"));
        ForgettingStudy.prepare(recipe(), folder.resolve("two"), FineTuning::builder, _ -> {}, List.of("plain"));
        assertThat(folder.resolve("one/known.jsonl")).hasSameTextualContentAs(folder.resolve("two/known.jsonl"));
    }

    private static void run(Recipe recipe, Path folder) throws IOException {
        ForgettingStudy.run(recipe, folder, FineTuning::builder, _ -> {}, _ -> {});
    }

    @Test
    void usedFolderAndKeysOfTheStudyAreRejected() {
        assertThatThrownBy(() -> run(recipe(), folder))
                .isInstanceOf(IOException.class)
                .hasMessageContaining("is not empty; name another folder");
        Path out = folder.resolve("study");
        assertThatThrownBy(() -> run(recipe("data.general=" + text, "ema_decay=0.9"), out))
                .isInstanceOf(RecipeException.class)
                .hasMessageEndingWith("leave out data.general, ema_decay");
        for (String key : List.of(
                "l2_sp=1", "freeze=*norm*", "wise_ft_alpha=0.5", "layer_decay=0.5", "gradual_unfreeze_steps=1")) {
            assertThatThrownBy(() -> run(recipe(key), out))
                    .isInstanceOf(RecipeException.class)
                    .hasMessageEndingWith("leave out " + key.replaceFirst("=.*", ""));
        }
        assertThatThrownBy(() -> run(recipe("output=x"), out)).hasMessageContaining("the study sets output");
        assertThatThrownBy(() -> run(recipe("steps=null"), out)).hasMessageContaining("steps is missing");
        assertThatThrownBy(() -> run(recipe("epochs=2"), out))
                .isInstanceOf(RecipeException.class)
                .hasMessageContaining("epochs is 2.0");
        assertThat(out).doesNotExist();
    }
}
