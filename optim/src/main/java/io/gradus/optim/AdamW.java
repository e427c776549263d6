package io.gradus.optim;

import java.util.List;

/**
 * {@link Adam} with decoupled weight decay (Loshchilov &amp; Hutter 2019, algorithm 2, with η·λ as PyTorch has it): the
 * decay acts on the weight and stays out of m and v, so that a weight with large gradients decays no less than another.
 *
 * <pre>
 *   g, m, v    as in Adam, but g = gradient alone
 *   θ = θ − η·λθ
 *   θ = θ − η · (m/(1 − β₁ᵗ)) / (√(v/(1 − β₂ᵗ)) + ε)
 * </pre>
 */
public final class AdamW extends Adam {

    /** With {@link Adam.Settings#DEFAULT}. */
    public AdamW(List<ParameterGroup> groups, double learningRate) {
        this(groups, learningRate, Settings.DEFAULT);
    }

    /**
     * @throws IllegalArgumentException when the rate is negative or not finite, a parameter or a name occurs twice,
     *     there is none, or a parameter is of a dtype that its device does not compute in
     */
    public AdamW(List<ParameterGroup> groups, double learningRate, Settings settings) {
        super(groups, learningRate, settings, true);
    }
}
