package io.gradus.cli;

import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;

/** Implements {@code gradus delta}. */
@Command(
        name = "delta",
        mixinStandardHelpOptions = true,
        description = "Stores what fine-tuning changed in a file, applies it to a model, and prints it.",
        synopsisSubcommandLabel = "COMMAND",
        footer = {
            "",
            "Examples:",
            "  ./gradus delta diff my-llama tuned -o shakespeare.safetensors",
            "  ./gradus delta info shakespeare.safetensors",
            "  ./gradus delta apply my-llama shakespeare.safetensors -o tuned-again",
            "  ./gradus delta apply my-llama a.safetensors:0.5 b.safetensors:0.5 -o both"
        },
        subcommands = {DeltaDiffCommand.class, DeltaApplyCommand.class, DeltaInfoCommand.class})
final class DeltaCommand implements Runnable {
    @Spec
    private CommandSpec spec;

    @Override
    public void run() {
        throw new ParameterException(spec.commandLine(), "Missing command. Available commands: diff, apply, info.");
    }
}
