package io.gradus.gpu;

import io.gradus.core.Tensor;
import java.util.Arrays;

/** The target class of each row of logits, some of which are ignored; looked at on the host, which wrote them. */
final class Targets {
    private Targets() {}

    /**
     * @param width how many classes there are
     * @throws IllegalArgumentException when a target is neither a class nor ignored
     */
    static void check(Tensor targets, int ignoreIndex, long width) {
        int[] classes = Ids.of(targets);
        for (int row = 0; row < classes.length; row++) {
            int target = classes[row];
            if (target != ignoreIndex && (target < 0 || target >= width)) {
                throw new IllegalArgumentException("crossEntropy: the target of row " + row + " is " + target
                        + ", neither one of " + width + " classes nor the ignored " + ignoreIndex
                        + "; does the tokeniser belong to this model (vocab_size)?");
            }
        }
    }

    /** How many targets are not ignored. */
    static long count(Tensor targets, int ignoreIndex) {
        return Arrays.stream(Ids.of(targets))
                .filter(target -> target != ignoreIndex)
                .count();
    }
}
