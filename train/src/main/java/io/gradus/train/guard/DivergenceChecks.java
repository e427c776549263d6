package io.gradus.train.guard;

import io.gradus.train.recipe.Recipe;
import java.util.Locale;
import java.util.Map;

/**
 * Ends a run whose losses make no sense, with a reason. The yardstick is the loss of guessing, ln(vocabulary).
 *
 * @param recipe says whether losses are compared with guessing at all
 * @param vocabulary how many tokens the model knows
 * @param crossEntropy whether the losses are cross-entropies, which alone can be compared with guessing
 */
public record DivergenceChecks(Recipe recipe, int vocabulary, boolean crossEntropy) {
    /** A loss so many times that of guessing does not come back. */
    private static final double HOPELESS = 10;

    private boolean comparesWithGuessing() {
        return crossEntropy && recipe.checkFirstLoss();
    }

    private double guessing() {
        return Math.log(vocabulary);
    }

    /** A model that was trained before predicts better than chance. */
    public void requireBetterThanGuessing(Map<String, Double> losses) {
        double loss =
                losses.values().stream().mapToDouble(Double::doubleValue).min().orElse(0);
        if (comparesWithGuessing() && !(loss < guessing() + 0.5)) {
            throw new TrainingException(String.format(
                    Locale.ROOT,
                    "before the first step the loss is %.2f, worse than guessing among %d tokens (%.2f): do the"
                            + " weights, the configuration and the tokeniser belong together? check_first_loss=false"
                            + " trains all the same",
                    loss,
                    vocabulary,
                    guessing()));
        }
    }

    /** A loss is a number, and not beyond hope. */
    public void requireConvergent(String what, double loss) {
        if (!Double.isFinite(loss)) {
            throw new TrainingException(what + " is " + loss + "; " + remedy());
        }
        if (comparesWithGuessing() && loss > HOPELESS * guessing()) {
            throw new TrainingException(String.format(
                    Locale.ROOT,
                    "%s is %.4g, and guessing among %d tokens has %.2f: the training has diverged; %s",
                    what,
                    loss,
                    vocabulary,
                    guessing(),
                    remedy()));
        }
    }

    /** While there is a loss there is something to learn. */
    public void requireGradient(int step, double loss, double norm) {
        if (norm == 0 && loss > 0) {
            throw new TrainingException(
                    "step " + step + ": the gradient is zero, nothing can be learnt any more; " + remedy());
        }
    }

    private String remedy() {
        return "a lower learning_rate (now " + recipe.learningRate() + ") or a longer warmup often helps";
    }
}
