package io.gradus.cli;

import io.gradus.train.FineTuning;
import io.gradus.train.recipe.Recipe;
import java.io.IOException;
import java.io.PrintWriter;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Consumer;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/** The options of every study. */
final class StudyOptions {
    @Spec(Spec.Target.MIXEE)
    private CommandSpec command;

    @Option(names = "--model", paramLabel = "DIR", description = "A Hugging Face folder. Same as model.path=DIR.")
    private @Nullable Path model;

    @Option(
            names = {"-o", "--output"},
            paramLabel = "FOLDER",
            description = "A new folder for the results and the runs.",
            required = true)
    private Path folder;

    @Parameters(
            arity = "0..*",
            paramLabel = "[recipe.yaml] [key=value]",
            description =
                    "The baseline run: a recipe, and keys that override it, such as data.train=corpus.txt. The default"
                            + " of steps is 150.")
    private List<String> arguments = new ArrayList<>();

    Path folder() {
        return folder;
    }

    /** Returns the recipe of the baseline run. */
    Recipe recipe() throws IOException {
        List<String> words = new ArrayList<>(arguments);
        if (model != null) {
            words.add("model.path=" + model);
        }
        Recipe recipe = RecipeArguments.recipe(words);
        return recipe.steps() == null ? recipe.with("steps=150") : recipe;
    }

    /** Returns a function that starts the runs of the study and shows their progress. */
    Function<Recipe, FineTuning.Builder> runs(StatusLine status) {
        return recipe -> BuiltIn.fineTuning(recipe, status.listener());
    }

    /** Returns a consumer that prints what the study does next to standard error. */
    Consumer<String> news() {
        return news(command);
    }

    /** Returns such a consumer of a command without these options. */
    static Consumer<String> news(CommandSpec command) {
        PrintWriter err = command.commandLine().getErr();
        return line -> {
            StatusLine.clearShown();
            err.println(line);
            err.flush();
        };
    }
}
