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
 * A self-test before a long run: trains on the first batch alone until the model has memorized it. A model that cannot memorize
 * one batch will not learn from many, and with one batch the cause is easier to find. The run's own optimizer, precision and
 * memory settings are used, at the peak learning rate. Nothing is written.
 */
public final class OverfitOneBatch {
    /** Steps if the recipe does not set them. */
    public static final int DEFAULT_STEPS = 200;

    /** Loss at which the batch counts as memorized, in nats per token: a mean probability of 0.9. */
    private static final double MEMORIZED = 0.1;

    private OverfitOneBatch() {}

    /**
     * Result of the test.
     *
     * @param losses the loss of each step, before its update
     * @param passed whether the batch was memorized
     * @param verdict what the result means, and what to check
     */
    public record Result(List<Double> losses, boolean passed, String verdict) {}

    /**
     * Runs the test, until the batch is memorized or the steps are used up.
     *
     * @param listener receives each loss
     * @throws RecipeException if the recipe does not fit the model or the text
     */
    public static Result run(FineTuning run, Consumer<Double> listener) throws IOException {
        Recipe recipe = run.recipe();
        TrainingSetup setup = run.setup(false);
        TrainingState state = run.state(setup);
        state.begin(setup::general);
        int steps = recipe.steps() == null ? DEFAULT_STEPS : recipe.steps();
        Batch batch = setup.batch(0);
        List<Double> losses = new ArrayList<>();
        boolean passed = false;
        while (!passed && losses.size() < steps) {
            boolean untrained = losses.isEmpty();
            double loss;
            try {
                loss = FineTuning.step(state, losses.size(), _ -> batch, recipe.learningRate(), told -> {
                            if (untrained) {
                                FineTuning.requireFinite(told, state, 0, _ -> batch);
                            }
                            return Double.isFinite(told) ? Optional.empty() : Optional.of("it diverged");
                        })
                        .loss();
            } catch (ArithmeticException e) {
                loss = Double.NaN;
            }
            losses.add(loss);
            listener.accept(loss);
            passed = loss < MEMORIZED;
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
            return course + "the model memorized it, so data, gradients and optimizer work together";
        }
        String rate = "learning_rate=" + recipe.learningRate();
        if (!Double.isFinite(last) || last > 1.5 * first) {
            return course + "it diverged; " + rate + " is too high, or a gradient is wrong";
        }
        if (last > 0.95 * first) {
            return course + "it hardly moved; " + rate + " is far too low, most weights are frozen or penalized"
                    + " (freeze, gradual_unfreeze_steps, l2_sp, ewc), or the labels are unrelated to the text";
        }
        return course + "it fell, but not to 0; use more steps, a higher rate than " + rate
                + ", or fewer tokens (batch_size, data.max_seq_len); or the model may be too small for one"
                + " batch";
    }
}
