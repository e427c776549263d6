package io.gradus.train;

import io.gradus.parallel.Communicator;
import io.gradus.parallel.ThreadTransport;
import io.gradus.parallel.Transport;
import io.gradus.train.recipe.Recipe;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.function.IntFunction;
import java.util.function.UnaryOperator;
import org.jspecify.annotations.Nullable;

/** A job whose processes are threads. */
final class JobOfThreads {
    private JobOfThreads() {}

    /** What a process of the job has made of its run. */
    record Outcome(
            @Nullable RunResult result,
            @Nullable FineTuning run,
            @Nullable Throwable failure) {}

    /**
     * Runs all processes to their end.
     *
     * @param recipes by rank
     */
    static List<Outcome> run(int processes, IntFunction<Recipe> recipes, UnaryOperator<FineTuning.Builder> parts)
            throws InterruptedException {
        List<Transport> transports = ThreadTransport.job(processes);
        List<Outcome> outcomes = new ArrayList<>();
        try (ExecutorService threads = Executors.newFixedThreadPool(processes)) {
            List<Future<Outcome>> runs = new ArrayList<>();
            for (Transport transport : transports) {
                Recipe recipe = recipes.apply(transport.rank());
                Callable<Outcome> run = () -> {
                    try (Communicator communicator = Communicator.of(() -> transport)) {
                        FineTuning each = parts.apply(FineTuning.builder(recipe).communicator(communicator))
                                .build();
                        return new Outcome(each.run(), each, null);
                    }
                };
                runs.add(threads.submit(run));
            }
            for (Future<Outcome> run : runs) {
                try {
                    outcomes.add(run.get());
                } catch (ExecutionException e) {
                    outcomes.add(new Outcome(null, null, e.getCause()));
                }
            }
        }
        return outcomes;
    }
}
