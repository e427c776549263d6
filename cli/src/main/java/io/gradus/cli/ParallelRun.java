package io.gradus.cli;

import io.gradus.parallel.Communicator;
import io.gradus.parallel.mpi.MpiTransport;
import io.gradus.train.recipe.Recipe;
import java.io.IOException;
import java.io.OutputStream;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;

/** A run of the processes that {@code mpirun} started. The first one prints; the others are silent, also when they fail. */
final class ParallelRun {
    private ParallelRun() {}

    /** Trains with the other processes and returns the exit code. */
    @FunctionalInterface
    interface Training {
        int run(Recipe recipe, Communicator communicator) throws IOException;
    }

    /**
     * Joins the other processes and trains.
     *
     * @throws io.gradus.parallel.CommunicationException if there is no MPI library
     */
    static int of(Recipe recipe, Training training) throws IOException {
        try (Communicator communicator = Communicator.of(MpiTransport::new)) {
            Recipe own = recipe.threads() == null ? recipe.with("threads=" + LocalThreads.count()) : recipe;
            if (communicator.rank() == 0) {
                return training.run(own, communicator);
            }
            PrintStream silent = new PrintStream(OutputStream.nullOutputStream(), false, StandardCharsets.UTF_8);
            System.setOut(silent);
            Warnings.printTo(silent);
            try {
                return training.run(own, communicator);
            } catch (IOException | RuntimeException e) {
                return 1; // the first process reports it
            }
        }
    }
}
