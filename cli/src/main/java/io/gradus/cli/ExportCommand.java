package io.gradus.cli;

import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;

/** Implements {@code gradus export}. */
@Command(
        name = "export",
        mixinStandardHelpOptions = true,
        description = "Writes a model in the format of other programs.",
        synopsisSubcommandLabel = "COMMAND",
        footer = {
            "",
            "Examples:",
            "  ./gradus export gguf --model tuned --out tuned.gguf --dtype q8_0",
            "  ./gradus export ollama --model tuned --gguf tuned.gguf"
        },
        subcommands = {ExportGgufCommand.class, ExportOllamaCommand.class})
final class ExportCommand implements Runnable {
    @Spec
    private CommandSpec spec;

    @Override
    public void run() {
        throw new ParameterException(spec.commandLine(), "Missing command. Available commands: gguf, ollama.");
    }
}
