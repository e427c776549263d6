package io.gradus.bench.cases;

import io.gradus.bench.measure.Work;
import java.util.function.DoubleSupplier;
import org.jspecify.annotations.Nullable;

/**
 * A computation performed by both sides.
 *
 * @param name within its group
 * @param ours one run with Gradus
 * @param theirs one run with libtorch
 * @param difference runs both once and returns the largest difference of their results, relative to the largest result
 * @param tolerance the maximum difference; beyond it the sides compute different things and the measurement fails
 * @param work of one run, or null if it is not counted
 */
public record Case(
        String name,
        Runnable ours,
        Runnable theirs,
        DoubleSupplier difference,
        double tolerance,
        @Nullable Work work) {}
