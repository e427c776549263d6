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
 */
public record CrossEntropyOptions(
        Reduction reduction, int ignoreIndex, @Nullable Tensor sampleWeights) {

    /** Options that ignore targets of {@value CrossEntropy#IGNORE_INDEX} and weight all other rows equally. */
    public static CrossEntropyOptions of(Reduction reduction) {
        return new CrossEntropyOptions(reduction, CrossEntropy.IGNORE_INDEX, null);
    }

    /** These options with another {@link #ignoreIndex}. */
    public CrossEntropyOptions withIgnoreIndex(int ignoreIndex) {
        return new CrossEntropyOptions(reduction, ignoreIndex, sampleWeights);
    }

    /** These options with other {@link #sampleWeights}. */
    public CrossEntropyOptions withSampleWeights(@Nullable Tensor sampleWeights) {
        return new CrossEntropyOptions(reduction, ignoreIndex, sampleWeights);
    }
}
