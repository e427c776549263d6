package io.gradus.autograd.op;

import io.gradus.core.ShapeException;
import io.gradus.core.Tensor;

/** What losses per element have in common. */
final class ElementLoss {
    private ElementLoss() {}

    /** Requires one shape: broadcasting, say of [N] with [N, 1], would compare every prediction with every target. */
    static void requireSameShape(String operation, Tensor input, Tensor target) {
        if (!input.shape().equals(target.shape())) {
            throw new ShapeException(
                    operation,
                    "input and target have different shapes",
                    "reshape one of them; a loss does not broadcast",
                    input,
                    target);
        }
    }
}
