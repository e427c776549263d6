package io.gradus.autograd;

import io.gradus.autograd.op.CrossEntropy;
import io.gradus.core.Tensor;
import org.jspecify.annotations.Nullable;

/**
 * Options of {@link Variable#crossEntropy(Tensor, CrossEntropyOptions)}.
 *
 * @param reduction to a scalar, or {@link Reduction#NONE} for one loss per target
 * @param ignoreIndex rows with this target have a loss and a gradient of 0 and do not count in the mean
 * @param sampleWeights the weight of each row, of the targets' shape; null if all weigh 1
 * @param labelSmoothing ε in 0 … 1: the target distribution gives {@code 1 − ε} to the target and spreads ε evenly over
 *     all classes (Szegedy et al. 2016, section 7)
 */
public record CrossEntropyOptions(
        Reduction reduction, int ignoreIndex, @Nullable Tensor sampleWeights, double labelSmoothing) {

    /**
     * Checks the options.
     *
     * @throws IllegalArgumentException if the label smoothing is not in 0 … 1
     */
    public CrossEntropyOptions {
        if (!(labelSmoothing >= 0 && labelSmoothing <= 1)) {
            throw new IllegalArgumentException(
                    "crossEntropy: label smoothing is " + labelSmoothing + "; it must be between 0 and 1, usually 0.1");
        }
    }

    /** Options that ignore targets of {@value CrossEntropy#IGNORE_INDEX} and weight all other rows equally. */
    public static CrossEntropyOptions of(Reduction reduction) {
        return new CrossEntropyOptions(reduction, CrossEntropy.IGNORE_INDEX, null, 0);
    }

    /** These options with another {@link #ignoreIndex}. */
    public CrossEntropyOptions withIgnoreIndex(int ignoreIndex) {
        return new CrossEntropyOptions(reduction, ignoreIndex, sampleWeights, labelSmoothing);
    }

    /** These options with other {@link #sampleWeights}. */
    public CrossEntropyOptions withSampleWeights(@Nullable Tensor sampleWeights) {
        return new CrossEntropyOptions(reduction, ignoreIndex, sampleWeights, labelSmoothing);
    }

    /** These options with another {@link #labelSmoothing}. */
    public CrossEntropyOptions withLabelSmoothing(double labelSmoothing) {
        return new CrossEntropyOptions(reduction, ignoreIndex, sampleWeights, labelSmoothing);
    }
}
