package io.gradus.cli;

import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;

/** {@code gradus study}. */
@Command(
        name = "study",
        mixinStandardHelpOptions = true,
        description = "Makes the same run with one setting changed at a time, and sets the runs side by side.",
        synopsisSubcommandLabel = "STUDY",
        subcommands = {ForgettingStudyCommand.class, MemoryStudyCommand.class})
final class StudyCommand implements Runnable {
    @Spec
    private CommandSpec spec;

    @Override
    public void run() {
        throw new ParameterException(
                spec.commandLine(),
                "Which study? There are " + String.join(", ", spec.subcommands().keySet()) + ".");
    }
}
