package io.gradus.cli.print;

import io.gradus.train.memory.Variant;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/** Formats commands that a user can paste into a shell. */
public final class Commands {
    private Commands() {}

    /** Returns a {@code ./gradus finetune} command with a recipe and keys that override it. */
    public static String finetune(Path recipe, List<String> overrides) {
        return ("./gradus finetune " + quoted(recipe.toString()) + " "
                        + String.join(
                                " ", overrides.stream().map(Commands::quoted).toList()))
                .strip();
    }

    /** Returns a Markdown section with the commands that repeat each run of a study. */
    public static List<String> markdown(Path study, List<Variant> variants) {
        List<String> lines = new ArrayList<>(List.of("", "To repeat a single run:", "", "```sh"));
        variants.forEach(variant -> lines.add(finetune(study.resolve("recipe.yaml"), variant.overrides())));
        lines.add("```");
        return lines;
    }

    /** Quotes a word for the shell if necessary. */
    static String quoted(String word) {
        return word.matches("[\\w./=,:+-]+") ? word : "'" + word.replace("'", "'\\''") + "'";
    }
}
