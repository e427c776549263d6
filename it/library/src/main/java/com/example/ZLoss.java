package com.example;

import io.gradus.autograd.Variable;
import io.gradus.core.Tensor;

/** A loss of this program: cross-entropy plus 10⁻⁴·log²Z, which keeps the softmax's normalizer near 1 (Chowdhery et al. 2022). */
final class ZLoss {
    private ZLoss() {}

    /**
     * The mean over all positions.
     *
     * @param logits {@code [B, T, V]}
     * @param targets {@code [B, T]}
     */
    static Variable of(Variable logits, Tensor targets) {
        Variable logZ = logits.subtract(logits.logSoftmax(-1)); // V times the same number
        return logits.crossEntropy(targets).add(logZ.multiply(logZ).mean().multiply(1e-4));
    }
}
