package io.gradus.cli;

import io.gradus.data.DataFormat;
import io.gradus.train.export.GgufType;
import io.gradus.train.recipe.RecipeException;
import java.io.PrintWriter;
import java.nio.file.InvalidPathException;
import java.nio.file.Path;
import java.util.Locale;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Help;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;
import picocli.CommandLine.TypeConversionException;
import picocli.CommandLine.UnmatchedArgumentException;

/** Implements {@code gradus}, which fine-tunes language models in Java. Exit codes: 0 success, 1 failure, 2 usage error. */
@Command(
        name = "gradus",
        mixinStandardHelpOptions = true,
        version = "gradus 0.1.0",
        description = "Fine-tunes every weight of a pre-trained language model, in Java.",
        synopsisSubcommandLabel = "COMMAND",
        footer = {
            "",
            "Examples:",
            "  ./gradus finetune",
            "  ./gradus finetune model.path=my-llama data.train=a.txt output=tuned",
            "  ./gradus generate --model tuned --prompt \"Once upon a time\"",
            "",
            "Exit codes: 0 success, 1 failure, 2 usage error."
        },
        subcommands = {
            FinetuneCommand.class,
            LearningRateFinderCommand.class,
            GenerateCommand.class,
            ChatCommand.class,
            EvaluateCommand.class,
            PredictCommand.class,
            InspectCommand.class,
            MemoryCommand.class,
            StudyCommand.class,
            DeltaCommand.class,
            ExportCommand.class,
            DevicesCommand.class
        })
public final class Main implements Runnable {
    private static final int NARROWEST_HELP = 55; // of picocli
    private static final int WIDEST_HELP = 100;

    @Spec
    private CommandSpec spec;

    public static void main(String[] args) {
        Utf8.setStreams();
        Warnings.printTo(System.err);
        System.exit(run(args));
    }

    /** Runs a command and returns its exit code. */
    static int run(String... args) {
        return run(
                new PrintWriter(System.out, true, System.out.charset()),
                new PrintWriter(System.err, true, System.err.charset()),
                args);
    }

    /** {@link #run(String...)}, with the given writers for results and messages. */
    static int run(PrintWriter out, PrintWriter err, String... args) {
        CommandLine line = new CommandLine(new Main())
                .setOut(out)
                .setErr(err)
                .setColorScheme(Help.defaultColorScheme(
                        Terminal.isTerminal("out") && Terminal.isStyled() ? Help.Ansi.ON : Help.Ansi.OFF))
                .setUsageHelpWidth(Math.clamp(Terminal.columns(), NARROWEST_HELP, WIDEST_HELP))
                .setExpandAtFiles(false) // a prompt may begin with @
                .registerConverter(Path.class, Main::path)
                .registerConverter(DataFormat.Kind.class, text -> constant(text, DataFormat.Kind.values()))
                .registerConverter(GgufType.class, text -> constant(text, GgufType.values()))
                .setParameterExceptionHandler((thrown, _) -> reportMisuse(thrown))
                .setExecutionExceptionHandler((thrown, _, _) -> report(thrown, err));
        try {
            Utf8.requireUndamaged(args);
            int code = line.execute(args);
            return code == CommandLine.ExitCode.OK && out.checkError() ? reportIncomplete(err) : code;
        } catch (IllegalArgumentException | Error e) {
            return report(e, err);
        } finally {
            out.flush();
            err.flush();
        }
    }

    /** An empty path would mean the current folder; it is rather a variable of a script that has no value. */
    private static Path path(String text) {
        if (text.isBlank()) {
            throw new TypeConversionException("the path is empty");
        }
        try {
            return Path.of(text);
        } catch (InvalidPathException e) {
            throw new TypeConversionException(ErrorMessage.of(e));
        }
    }

    private static <E extends Enum<E>> E constant(String text, E[] constants) {
        return Stream.of(constants)
                .filter(constant -> constant.toString().equalsIgnoreCase(text))
                .findFirst()
                .orElseThrow(() -> new TypeConversionException("'" + text + "' is none of "
                        + Stream.of(constants)
                                .map(constant -> constant.toString().toLowerCase(Locale.ROOT))
                                .collect(Collectors.joining(", "))));
    }

    @Override
    public void run() {
        throw new ParameterException(
                spec.commandLine(),
                "Missing command. Available commands: "
                        + String.join(", ", spec.subcommands().keySet()) + ".");
    }

    /** Reports that standard output went to a full disk or to a program that has ended; what was written elsewhere is complete. */
    private static int reportIncomplete(PrintWriter err) {
        Terminal.printError(
                "standard output cannot be written, so what this command printed is incomplete; free disk space if it"
                        + " goes to a file",
                err);
        return CommandLine.ExitCode.SOFTWARE;
    }

    /** Prints the error, suggestions, and a pointer to --help instead of the complete usage. */
    private static int reportMisuse(ParameterException thrown) {
        CommandLine command = thrown.getCommandLine();
        PrintWriter err = command.getErr();
        Terminal.printError(String.valueOf(thrown.getMessage()), err);
        UnmatchedArgumentException.printSuggestions(thrown, err);
        err.println("Try './" + command.getCommandSpec().qualifiedName() + " --help'.");
        return CommandLine.ExitCode.USAGE;
    }

    private static int report(Throwable thrown, PrintWriter err) {
        StatusLine.clearShown();
        Terminal.printError(ErrorMessage.of(thrown), err);
        return thrown instanceof RecipeException ? CommandLine.ExitCode.USAGE : CommandLine.ExitCode.SOFTWARE;
    }
}
