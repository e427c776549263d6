package io.gradus.data.parallel;

import java.util.List;
import java.util.function.Function;
import java.util.function.Supplier;

/** Applies a function to the elements of a list on several threads. */
public final class ParallelMap {
    private ParallelMap() {}

    /**
     * The results, in the order of the elements.
     *
     * @throws RuntimeException if the function throws it; if it throws for several elements, that of the first
     */
    public static <T, R> List<R> of(List<T> elements, Function<T, R> function) {
        // Threads of a parallel stream would wrap an exception, and not always that of the first element.
        List<Supplier<R>> results = elements.parallelStream()
                .map(element -> ParallelMap.<T, R>attempt(function, element))
                .toList();
        return results.stream().map(Supplier::get).toList();
    }

    private static <T, R> Supplier<R> attempt(Function<T, R> function, T element) {
        try {
            R result = function.apply(element);
            return () -> result;
        } catch (RuntimeException e) {
            return () -> {
                throw e;
            };
        }
    }
}
