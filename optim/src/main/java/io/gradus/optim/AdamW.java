package io.gradus.optim;

import java.util.List;

/**
 * {@link Adam} with decoupled weight decay (Loshchilov &amp; Hutter 2019, algorithm 2, with η·λ as in PyTorch): weight decay acts
 * on the weight and does not enter m and v, so that all weights decay at the same rate.
 *
 * <pre>
 *   g = gradient       m, v as in Adam
 *   θ = θ − η·λθ
 *   θ = θ − η · (m/(1 − β₁ᵗ)) / (√(v/(1 − β₂ᵗ)) + ε)
 * </pre>
 *
 * {@snippet :
 * Variable w = Variable.parameter("w", Tensor.of(new float[] {3, -2}, 1, 2));
 * Optimizer optimizer = new AdamW(ParameterGroups.withWeightDecay(List.of(w), 0.01), 1e-2);
 * for (int step = 0; step < 100; step++) {
 *     optimizer.zeroGrad();
 *     w.multiply(w).sum().backward();
 *     optimizer.step();
 * }
 * }
 */
public final class AdamW extends Adam {

    /** With {@link Adam.Settings#DEFAULT}. */
    public AdamW(List<ParameterGroup> groups, double learningRate) {
        this(groups, learningRate, Settings.DEFAULT);
    }

    /**
     * @throws IllegalArgumentException if the learning rate is negative or not finite, a parameter or a name occurs twice, there
     *     is no parameter, or a parameter has a dtype that its device does not compute in
     */
    public AdamW(List<ParameterGroup> groups, double learningRate, Settings settings) {
        super(groups, learningRate, settings, true);
    }
}
