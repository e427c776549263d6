package io.gradus.train;

import java.nio.file.Path;

/** The command that resumes a run, for messages. */
final class ResumeCommand {
    private ResumeCommand() {}

    static String of(Path output) {
        return "./gradus finetune " + quoted(output.resolve("recipe.yaml").toString()) + " "
                + quoted("output=" + output) + " --resume";
    }

    /** Quotes a word for the shell if necessary. */
    private static String quoted(String word) {
        return word.matches("[\\w./=,:+-]+") ? word : "'" + word.replace("'", "'\\''") + "'";
    }
}
