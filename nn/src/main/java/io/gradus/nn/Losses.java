package io.gradus.nn;

import io.gradus.autograd.Variable;
import io.gradus.autograd.op.CrossEntropy;

/** Losses beyond {@link Variable#crossEntropy}. */
public final class Losses {
    private Losses() {}

    /** The mean of {@code (prediction − target)²} over all elements. */
    public static Variable mseLoss(Variable prediction, Variable target) {
        Variable difference = prediction.subtract(target);
        return difference.multiply(difference).mean();
    }

    /**
     * The targets of next-token prediction: at each place the label of the next, and {@link CrossEntropy#IGNORE_INDEX} at the
     * last place of each row, which has none. So logits need no slicing.
     *
     * @param labels {@code [rows, length]}, row by row; as Hugging Face takes them, not shifted
     * @throws IllegalArgumentException when they are not whole rows
     */
    public static int[] shiftLabels(int[] labels, int length) {
        if (length < 1 || labels.length % length != 0) {
            throw new IllegalArgumentException(
                    "shiftLabels: " + labels.length + " labels are not whole rows of length " + length);
        }
        int[] targets = new int[labels.length];
        for (int i = 0; i < labels.length; i++) {
            targets[i] = i % length == length - 1 ? CrossEntropy.IGNORE_INDEX : labels[i + 1];
        }
        return targets;
    }
}
