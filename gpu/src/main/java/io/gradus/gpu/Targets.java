package io.gradus.gpu;

import io.gradus.core.Tensor;
import java.util.Arrays;

/** Checks the target class of each row of logits on the host, which usually wrote the targets. */
final class Targets {
    private Targets() {}

    /**
     * @param width the number of classes
     * @throws IllegalArgumentException if a target is neither a class nor {@code ignoreIndex}
     */
    static void check(Tensor targets, int ignoreIndex, long width) {
        int[] classes = Ids.of(targets);
        for (int row = 0; row < classes.length; row++) {
            int target = classes[row];
            if (target != ignoreIndex && (target < 0 || target >= width)) {
                throw new IllegalArgumentException("crossEntropy: the target of row " + row + " is " + target
                        + ", neither one of " + width + " classes nor the ignored " + ignoreIndex
                        + "; does the tokenizer belong to this model (vocab_size)?");
            }
        }
    }

    /** The number of targets that are not ignored. */
    static long count(Tensor targets, int ignoreIndex) {
        return Arrays.stream(Ids.of(targets))
                .filter(target -> target != ignoreIndex)
                .count();
    }
}
