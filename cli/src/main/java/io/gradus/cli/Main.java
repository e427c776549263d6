package io.gradus.cli;

import com.fasterxml.jackson.core.JacksonException;
import io.gradus.train.guard.TrainingException;
import io.gradus.train.recipe.RecipeException;
import java.io.PrintWriter;
import java.io.UncheckedIOException;
import java.nio.file.AccessDeniedException;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.FileSystemException;
import java.nio.file.NoSuchFileException;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;
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
            EvaluateCommand.class,
            InspectCommand.class,
            MemoryCommand.class,
            StudyCommand.class,
            DeltaCommand.class,
            DevicesCommand.class
        })
public final class Main implements Runnable {
    @Spec
    private CommandSpec spec;

    public static void main(String[] args) {
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
                .setExpandAtFiles(false) // a prompt may begin with @
                .setParameterExceptionHandler((thrown, _) -> reportMisuse(thrown))
                .setExecutionExceptionHandler((thrown, command, _) -> report(thrown, command));
        try {
            return line.execute(args);
        } catch (OutOfMemoryError e) {
            err.println("out of memory (" + e.getMessage() + "): give the JVM more memory with GRADUS_JAVA_OPTS=-Xmx8g,"
                    + " or use a smaller batch_size or data.max_seq_len");
            return CommandLine.ExitCode.SOFTWARE;
        } finally {
            out.flush();
            err.flush();
        }
    }

    @Override
    public void run() {
        throw new ParameterException(
                spec.commandLine(),
                "Missing command. Available commands: "
                        + String.join(", ", spec.subcommands().keySet()) + ".");
    }

    /** Prints the error, suggestions, and a pointer to --help instead of the complete usage. */
    private static int reportMisuse(ParameterException thrown) {
        CommandLine command = thrown.getCommandLine();
        PrintWriter err = command.getErr();
        err.println(command.getColorScheme().errorText(thrown.getMessage()));
        UnmatchedArgumentException.printSuggestions(thrown, err);
        err.println("Try './" + command.getCommandSpec().qualifiedName() + " --help'.");
        return CommandLine.ExitCode.USAGE;
    }

    /** Prints one message for an error that the user can fix, and a stack trace for a bug. */
    private static int report(Exception thrown, CommandLine line) {
        if (thrown instanceof RecipeException) {
            line.getErr().println(line.getColorScheme().errorText(thrown.getMessage()));
            return CommandLine.ExitCode.USAGE;
        }
        boolean ours = thrown instanceof RuntimeException
                && !(thrown instanceof UncheckedIOException)
                && !(thrown instanceof IllegalArgumentException)
                && !(thrown instanceof IllegalStateException)
                && !(thrown instanceof TrainingException);
        if (ours) {
            thrown.printStackTrace(line.getErr());
        } else {
            line.getErr().println(line.getColorScheme().errorText(message(thrown)));
        }
        return CommandLine.ExitCode.SOFTWARE;
    }

    private static String message(Exception thrown) {
        Throwable cause = thrown instanceof UncheckedIOException unchecked && unchecked.getCause() != null
                ? unchecked.getCause()
                : thrown;
        return switch (cause) {
            case NoSuchFileException e -> e.getFile() + " is missing";
            case AccessDeniedException e -> e.getFile() + " cannot be opened: permission denied";
            case FileAlreadyExistsException e -> e.getFile() + " already exists and is not a folder";
            case FileSystemException e when e.getReason() != null -> e.getFile() + ": " + e.getReason();
            case FileSystemException e -> e.getFile() + " cannot be read or written";
            case JacksonException e -> String.valueOf(e.getOriginalMessage());
            default -> String.valueOf(cause.getMessage());
        };
    }
}
