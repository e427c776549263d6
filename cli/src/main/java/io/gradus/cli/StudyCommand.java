package io.gradus.cli;

import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;

/** Implements {@code gradus study}. */
@Command(
        name = "study",
        mixinStandardHelpOptions = true,
        description = "Repeats a run with one setting changed at a time, and compares the results.",
        synopsisSubcommandLabel = "STUDY",
        subcommands = {ForgettingStudyCommand.class, MemoryStudyCommand.class, UlmfitStudyCommand.class})
final class StudyCommand implements Runnable {
    @Spec
    private CommandSpec spec;

    @Override
    public void run() {
        throw new ParameterException(
                spec.commandLine(),
                "Missing study. Available studies: "
                        + String.join(", ", spec.subcommands().keySet()) + ".");
    }
}
