package io.gradus.train;

import io.gradus.data.Batches.Batch;
import io.gradus.train.recipe.Recipe;
import io.gradus.train.recipe.RecipeException;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.function.Consumer;

/**
 * A self-test before a long run: the first batch again and again, until the model knows it by heart. A model that cannot even
 * learn one batch learns nothing from many, and the reason is easier to find. The recipe's own optimiser, precision and
 * memory settings are used, at the peak rate. Nothing is written.
 */
public final class OverfitOneBatch {
    /** Steps where the recipe does not name a number. */
    public static final int USUAL_STEPS = 200;

    /** Nats per token at which the batch counts as known: nine in ten tokens are certain. */
    private static final double KNOWN = 0.1;

    private OverfitOneBatch() {}

    /**
     * What came of it.
     *
     * @param losses of the steps, each before its update
     * @param passed whether the loss came near 0
     * @param verdict what that means, and what to look at
     */
    public record Result(List<Double> losses, boolean passed, String verdict) {}

    /**
     * Tries; ends as soon as the batch is known.
     *
     * @param told is given each loss
     * @throws RecipeException when the recipe does not fit the model or the text
     */
    public static Result run(FineTuning run, Consumer<Double> told) throws IOException {
        Recipe recipe = run.recipe();
        TrainingSetup setup = run.setup(false);
        TrainingState state = run.state(setup);
        state.begin(setup::general);
        int steps = recipe.steps() == null ? USUAL_STEPS : recipe.steps();
        Batch batch = setup.batch(0);
        List<Double> losses = new ArrayList<>();
        boolean passed = false;
        while (!passed && losses.size() < steps) {
            double loss;
            try {
                loss = FineTuning.step(
                                state,
                                losses.size(),
                                _ -> batch,
                                recipe.learningRate(),
                                l -> Double.isFinite(l) ? Optional.empty() : Optional.of("it diverged"))
                        .loss();
            } catch (ArithmeticException e) {
                loss = Double.NaN;
            }
            losses.add(loss);
            told.accept(loss);
            passed = loss < KNOWN;
            if (!Double.isFinite(loss)) {
                break;
            }
        }
        return new Result(List.copyOf(losses), passed, verdict(losses, passed, recipe));
    }

    private static String verdict(List<Double> losses, boolean passed, Recipe recipe) {
        double first = losses.getFirst();
        double last = losses.getLast();
        String course = String.format(
                Locale.ROOT, "the loss of one batch went from %.4g to %.4g in %d steps: ", first, last, losses.size());
        if (passed) {
            return course + "the model can learn it by heart, so that data, gradients and optimiser work together";
        }
        String rate = "learning_rate=" + recipe.learningRate();
        if (!Double.isFinite(last) || last > 1.5 * first) {
            return course + "it diverged; " + rate + " is too high, or a gradient is wrong";
        }
        if (last > 0.95 * first) {
            return course + "it hardly moved; " + rate + " is far too low, nearly everything is frozen or held"
                    + " (freeze, gradual_unfreeze_steps, l2_sp, ewc), or the labels have nothing to do with the text";
        }
        return course + "it falls but does not get near 0; take more steps or a higher rate than " + rate
                + ", fewer tokens (batch_size, data.max_seq_len), or ask whether the model is large enough for one"
                + " batch";
    }
}
