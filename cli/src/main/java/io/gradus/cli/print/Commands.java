package io.gradus.cli.print;

import io.gradus.train.memory.Variant;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/** Commands as a user types them into a shell. */
public final class Commands {
    private Commands() {}

    /** {@code ./gradus finetune} with a recipe and keys that override it. */
    public static String finetune(Path recipe, List<String> overrides) {
        return ("./gradus finetune " + quoted(recipe.toString()) + " "
                        + String.join(
                                " ", overrides.stream().map(Commands::quoted).toList()))
                .strip();
    }

    /** A Markdown section with the command that makes each run of a study alone. */
    public static List<String> markdown(Path study, List<Variant> variants) {
        List<String> lines = new ArrayList<>(List.of("", "Each run alone:", "", "```sh"));
        variants.forEach(variant -> lines.add(finetune(study.resolve("recipe.yaml"), variant.overrides())));
        lines.add("```");
        return lines;
    }

    /** A word as a shell takes it. */
    static String quoted(String word) {
        return word.matches("[\\w./=,:+-]+") ? word : "'" + word.replace("'", "'\\''") + "'";
    }
}
