package io.gradus.train.study;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.gradus.data.LabeledText;
import io.gradus.nn.model.ConfigJson;
import io.gradus.nn.model.awdlstm.AwdLstmConfig;
import io.gradus.train.FineTuning;
import io.gradus.train.recipe.Recipe;
import io.gradus.train.recipe.RecipeException;
import io.gradus.train.study.UlmfitStudy.Network;
import io.gradus.train.study.UlmfitStudy.Settings;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The stages follow each other, and each classifier is trained with its number of labels. */
class UlmfitStudyTest {
    @TempDir
    private Path folder;

    /** Texts whose first word decides their label. */
    private static List<LabeledText> task(int count) {
        List<LabeledText> texts = new ArrayList<>();
        for (int i = 0; i < count; i++) {
            boolean good = i * 7 % 10 < 5;
            texts.add(new LabeledText(
                    (good ? "good" : "bad") + " play \"number\" " + i % 9 + " of the year", good ? "pos" : "neg"));
        }
        return texts;
    }

    private static Settings settings(int... labels) {
        List<Integer> counts = Arrays.stream(labels).boxed().toList();
        return new Settings(new Network(8, 8, 1), 100, 1, 1, counts, 60, 42, 1);
    }

    @Test
    void stagesFollowEachOther() throws IOException {
        List<Recipe> recipes = new ArrayList<>();
        List<Integer> finished = new ArrayList<>();
        UlmfitStudy.Outcome outcome = UlmfitStudy.run(
                settings(40),
                task(500),
                List.of("a good play and a bad year. ".repeat(250)),
                folder,
                recipe -> {
                    recipes.add(recipe);
                    return FineTuning.builder(recipe);
                },
                _ -> {},
                rows -> finished.add(rows.size()));
        assertThat(outcome.rows()).singleElement().satisfies(row -> {
            assertThat(row.labels()).isEqualTo(40);
            assertThat(row.scratch()).isLessThan(0.1);
            assertThat(row.pretrained()).isBetween(0.0, 0.6);
        });
        assertThat(finished).containsExactly(1);
        assertThat(outcome.after()).isLessThan(outcome.before());
        assertThat(recipes).hasSize(4);
        assertThat(recipes).extracting(Recipe::layerDecay).containsExactly(1.0, 1.0, 1.0, 0.3846);
        assertThat(recipes.get(3).gradualUnfreezeSteps()).isEqualTo(80);
        assertThat(Files.readAllLines(folder.resolve("train-40.jsonl"))).hasSize(40);
        assertThat(AwdLstmConfig.read(ConfigJson.read(folder.resolve("tuned-40")))
                        .weightP())
                .isEqualTo(0.25);
    }

    @Test
    void tooFewTextsAreRejected() {
        assertThatThrownBy(() -> UlmfitStudy.run(
                        settings(40, 500), task(500), List.of(), folder, FineTuning::builder, _ -> {}, _ -> {}))
                .isInstanceOf(RecipeException.class)
                .hasMessageContaining("the task has 500 texts; 500 labels and a test of 60 need 560");
    }
}
