package io.gradus.cli;

import static org.assertj.core.api.Assertions.assertThat;

import io.gradus.train.recipe.Recipe;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;

/** Tests that a study defaults to 150 steps unless its recipe or its keys set steps. */
class StudyOptionsTest {
    @TempDir
    private Path folder;

    @Command
    private static final class Study {
        @Mixin
        private StudyOptions options = new StudyOptions();
    }

    private static Recipe recipe(Object... words) throws IOException {
        String[] arguments = new String[words.length + 2];
        arguments[0] = "-o";
        arguments[1] = "study";
        for (int i = 0; i < words.length; i++) {
            arguments[i + 2] = words[i].toString();
        }
        return CommandLine.populateCommand(new Study(), arguments).options.recipe();
    }

    @Test
    void stepsDefaultTo150() throws IOException {
        Path silent = Files.writeString(folder.resolve("silent.yaml"), "batch_size: 3\n");

        assertThat(recipe().steps()).isEqualTo(150);
        assertThat(recipe("batch_size=3").steps()).isEqualTo(150);
        assertThat(recipe(silent)).isEqualTo(Recipe.parse("", "batch_size=3", "steps=150"));
    }

    @Test
    void stepsOfARecipeOrKeyOverrideTheDefault() throws IOException {
        Path explicit = Files.writeString(folder.resolve("explicit.yaml"), "steps: 20\n");

        assertThat(recipe(explicit).steps()).isEqualTo(20);
        assertThat(recipe(explicit, "steps=30").steps()).isEqualTo(30);
        assertThat(recipe("steps=40").steps()).isEqualTo(40);
    }
}
