package io.gradus.train;

import io.gradus.optim.LearningRateFinder;
import io.gradus.optim.LearningRateFinder.Point;
import io.gradus.train.guard.TrainingException;
import io.gradus.train.recipe.RecipeException;
import java.io.IOException;
import java.util.List;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * Suggests a learning rate for a run, with its own model, data and optimizer (the {@linkplain LearningRateFinder learning rate
 * range test}). Nothing is written.
 */
public final class LearningRateFinderRun {
    private LearningRateFinderRun() {}

    /**
     * The result of the test.
     *
     * @param points the tried rates, in order, with their losses
     * @param steepest the rate at which the loss falls fastest: a first choice
     * @param tenthOfMinimum a tenth of the rate with the lowest loss: the cautious choice
     * @param doubt why not to trust these rates; null if the losses give no reason
     */
    public record Result(
            List<Point> points,
            double steepest,
            double tenthOfMinimum,
            @Nullable String doubt) {

        /** The cautious of the two rates. */
        public double proposed() {
            return Math.min(steepest, tenthOfMinimum);
        }
    }

    /**
     * Runs the test.
     *
     * @param low the first rate, above 0
     * @param high the last rate
     * @param steps at least 20
     * @throws TrainingException if no rate between them lowers the loss, or if it is not finite before the first step
     * @throws RecipeException if the recipe does not fit the model or the text
     */
    public static Result find(FineTuning run, double low, double high, int steps) throws IOException {
        var finder = new LearningRateFinder(low, high, steps);
        TrainingSetup setup = run.setup(false);
        TrainingState state = run.state(setup);
        state.begin(setup::general);
        try {
            for (int step = 0; finder.isRunning(); step++) {
                run.progressed(new TrainingListener.Progress("trying learning rates", step, steps));
                boolean untrained = step == 0;
                double[] loss = {Double.NaN};
                FineTuning.step(state, step, setup::batch, finder.rate(), told -> {
                    loss[0] = told;
                    if (untrained) {
                        FineTuning.requireFinite(told, state, 0, setup::batch);
                    }
                    return Double.isFinite(told) ? Optional.empty() : Optional.of("it diverged");
                });
                finder.add(loss[0]);
            }
        } catch (ArithmeticException e) {
            finder.add(Double.POSITIVE_INFINITY); // the next loss would not be finite either
        }
        try {
            LearningRateFinder.Suggestion suggestion = finder.suggestion();
            return new Result(
                    finder.points(),
                    suggestion.steepest(),
                    suggestion.tenthOfMinimum(),
                    finder.doubt().orElse(null));
        } catch (IllegalStateException e) {
            throw new TrainingException(String.valueOf(e.getMessage()));
        }
    }
}
