package io.gradus.cli;

import io.gradus.core.WholeFile;
import io.gradus.parallel.CommunicationException;
import io.gradus.parallel.Communicator;
import io.gradus.parallel.launch.Launch;
import io.gradus.train.recipe.Recipe;
import io.gradus.train.recipe.RecipeException;
import java.io.IOException;
import java.io.OutputStream;
import java.io.PrintStream;
import java.io.PrintWriter;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine;
import picocli.CommandLine.Model.CommandSpec;

/** A run of the processes that a launcher has started. The first one prints; the others are silent, also when they fail. */
final class ParallelRun {
    /** In an argument, or in a line of a recipe. */
    private static final Pattern PARALLEL = Pattern.compile("(?m)^parallel *[:=] *\"?(?!none\\b)\\w");

    private ParallelRun() {}

    /** Trains with the other processes, or alone, and returns the exit code. */
    @FunctionalInterface
    interface Training {
        int run(Recipe recipe, @Nullable Communicator communicator) throws IOException;
    }

    /**
     * Joins the other processes and trains.
     *
     * @throws CommunicationException if they cannot be joined, or the first process is lost
     */
    static int of(Recipe recipe, CommandSpec spec, Training training) throws IOException {
        Optional<Communicator> joined;
        try {
            joined = Launch.join();
        } catch (CommunicationException e) {
            return reported(e);
        }
        if (joined.isEmpty()) {
            return training.run(recipe, null); // which says how to start several processes
        }
        try (Communicator communicator = joined.get()) {
            Recipe own = recipe.threads() == null ? recipe.with("threads=" + LocalThreads.count()) : recipe;
            if (communicator.rank() == 0) {
                return training.run(own, communicator);
            }
            silence(spec);
            try {
                return training.run(own, communicator);
            } catch (CommunicationException e) {
                return reported(e);
            } catch (IOException | RuntimeException | Error e) {
                return code(e); // the first process reports it
            }
        }
    }

    /**
     * Tells the other processes that this one has no recipe, so that none waits for it and only one reports it.
     *
     * @param arguments of the command
     * @return the exit code
     * @throws RecipeException if this process must report it
     */
    static int withoutRecipe(RecipeException problem, List<String> arguments, CommandSpec spec) {
        if (arguments.stream().noneMatch(ParallelRun::mentionsParallel)) {
            throw problem;
        }
        try (Communicator communicator = Launch.join().orElseThrow(() -> problem)) {
            communicator.abort(String.valueOf(problem.getMessage()));
            if (communicator.rank() == 0) {
                throw problem;
            }
            return code(problem);
        }
    }

    private static boolean mentionsParallel(String argument) {
        if (PARALLEL.matcher(argument).find()) {
            return true;
        }
        try {
            return argument.matches(".+\\.ya?ml")
                    && PARALLEL.matcher(WholeFile.text(Path.of(argument))).find();
        } catch (IOException e) {
            return false;
        }
    }

    /** The exit code for an error that the first process reports; otherwise nobody else is left to report it. */
    private static int reported(CommunicationException e) {
        if (!e.isKnownToFirst()) {
            throw e;
        }
        return CommandLine.ExitCode.SOFTWARE;
    }

    private static int code(Throwable problem) {
        return problem instanceof RecipeException ? CommandLine.ExitCode.USAGE : CommandLine.ExitCode.SOFTWARE;
    }

    private static void silence(CommandSpec spec) {
        PrintStream silent = new PrintStream(OutputStream.nullOutputStream(), false, StandardCharsets.UTF_8);
        System.setOut(silent);
        Warnings.printTo(silent);
        PrintWriter writer = new PrintWriter(silent, false, StandardCharsets.UTF_8);
        spec.commandLine().setOut(writer).setErr(writer);
    }
}
