package io.gradus.cli;

import io.gradus.parallel.Communicator;
import io.gradus.parallel.mpi.MpiTransport;
import io.gradus.train.FineTuning;
import io.gradus.train.recipe.Recipe;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;

/**
 * One process of a job that trains several models one after the other, which saves the time to start a JVM for each. The argument
 * is a file with a recipe per line, as {@code key=value} separated by tabs.
 */
final class RankRuns {
    private RankRuns() {}

    /** A recipe as a line of the file. */
    static String line(List<String> keys) {
        return String.join("\t", keys);
    }

    public static void main(String[] args) throws IOException {
        try (Communicator communicator = Communicator.of(MpiTransport::new)) {
            for (String line : Files.readAllLines(Path.of(args[0]))) {
                Recipe recipe = Recipe.parse("{}", line.split("\t"));
                try {
                    FineTuning.builder(recipe)
                            .communicator(communicator)
                            .build()
                            .run();
                } catch (IOException | RuntimeException e) { // the next run is another subject
                    System.out.println("rank " + communicator.rank() + ", " + recipe.output() + ": " + e);
                }
            }
        }
    }
}
