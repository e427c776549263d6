package io.gradus.train.guard;

import io.gradus.train.recipe.Recipe;
import java.util.Locale;
import java.util.Map;
import java.util.function.Supplier;

/**
 * Ends a run whose losses make no sense. Losses are compared with that of guessing, ln(vocabulary).
 *
 * @param recipe decides whether losses are compared with guessing
 * @param vocabulary the number of tokens in the vocabulary
 * @param crossEntropy whether the losses are cross-entropies; other losses are not compared with guessing
 */
public record DivergenceChecks(Recipe recipe, int vocabulary, boolean crossEntropy) {
    /** A loss this many times that of guessing does not recover. */
    private static final double DIVERGED = 10;

    /** A model that knows the language may still guess badly on an unusual text. */
    private static final double MARGIN = 0.5;

    /** A model that knows a language expects its tokens in order. */
    private static final double IN_ORDER = 0.9;

    private boolean comparesWithGuessing() {
        return crossEntropy && recipe.checkFirstLoss();
    }

    private double guessing() {
        return Math.log(vocabulary);
    }

    /**
     * Requires that a pre-trained model predicts better than guessing. Where only answers are targets, a worse loss proves
     * nothing: a model that has not seen the labels of a task finds them less likely than other tokens. Then the prompts count
     * too, and the model must find their tokens less likely in random order.
     *
     * @param losses of the targets, by the name of the text
     * @param withPrompts the same losses with the tokens of prompts as targets too
     * @param shuffled these losses with the tokens in random order
     */
    public void requireBetterThanGuessing(
            Map<String, Double> losses,
            Supplier<Map<String, Double>> withPrompts,
            Supplier<Map<String, Double>> shuffled) {
        double limit = guessing() + MARGIN;
        double loss = least(losses);
        if (!comparesWithGuessing() || loss < limit) {
            return;
        }
        double all = least(withPrompts.get());
        boolean hasPrompts = all != loss;
        if (all < limit || hasPrompts && all < IN_ORDER * least(shuffled.get())) {
            return;
        }
        throw new TrainingException(String.format(
                Locale.ROOT,
                "before the first step the loss is %.2f%s, worse than guessing among %d tokens (%.2f): do the weights, the"
                        + " configuration and the tokenizer belong together? Set check_first_loss=false to train anyway",
                loss,
                hasPrompts ? String.format(Locale.ROOT, " (%.2f with the prompts)", all) : "",
                vocabulary,
                guessing()));
    }

    private static double least(Map<String, Double> losses) {
        return losses.values().stream().mapToDouble(Double::doubleValue).min().orElse(0);
    }

    /**
     * The error for a result that is not finite.
     *
     * @param problem what is not finite, and the cause
     */
    public TrainingException notFinite(String problem) {
        return new TrainingException(problem + "; " + remedy());
    }

    /** Requires a finite loss that has not diverged. */
    public void requireConvergent(String what, double loss) {
        if (comparesWithGuessing() && loss > DIVERGED * guessing()) {
            throw new TrainingException(String.format(
                    Locale.ROOT,
                    "%s is %.4g, and that of guessing among %d tokens is %.2f: training has diverged; %s",
                    what,
                    loss,
                    vocabulary,
                    guessing(),
                    remedy()));
        }
    }

    /** Requires a gradient other than zero while there is a loss. */
    public void requireGradient(int step, double loss, double norm) {
        if (norm == 0 && loss > 0) {
            throw new TrainingException(
                    "step " + step + ": the gradient is zero, so no further learning is possible; " + remedy());
        }
    }

    private String remedy() {
        return "a lower learning_rate (now " + recipe.learningRate() + ") or a longer warmup often helps";
    }
}
