package io.gradus.bench.cases;

import io.gradus.bench.measure.Work;
import java.util.function.DoubleSupplier;
import org.jspecify.annotations.Nullable;

/**
 * One thing that both sides do.
 *
 * @param name within its group
 * @param ours one run with Gradus
 * @param theirs one run with libtorch
 * @param difference runs both once and gives the largest difference of their results, relative to the largest result
 * @param tolerance how large it may be: a benchmark that computes something else measures nothing
 * @param work what one run does, where that is known
 */
public record Case(
        String name,
        Runnable ours,
        Runnable theirs,
        DoubleSupplier difference,
        double tolerance,
        @Nullable Work work) {}
