package io.gradus.examples;

import io.gradus.core.Tensor;
import io.gradus.optim.InPlace;
import io.gradus.optim.Optimizer;
import io.gradus.optim.ParameterGroup;
import io.gradus.optim.ParameterStep;
import java.util.List;

/**
 * Lion (Chen et al. 2023, Symbolic Discovery of Optimization Algorithms, algorithm 2), as an example of an optimizer written
 * with tensor operations. Every weight moves by the same amount, in the direction of the sign of a momentum:
 *
 * <pre>
 *   c = β₁m + (1 − β₁)·g
 *   θ = θ − η·(sign(c) + λθ)
 *   m = β₂m + (1 − β₂)·g
 * </pre>
 *
 * η is the learning rate and λ the group's weight decay. Because the step has the size of η whatever the gradient is, η
 * should be 3 to 10 times smaller than for AdamW, and λ larger by the same factor (section 5 of the paper). State:
 * {@code exp_avg} (m), half as much as Adam's.
 */
public final class Lion extends Optimizer {
    private final double beta1;
    private final double beta2;

    /** With β₁ = 0.9 and β₂ = 0.99, the defaults of the paper. */
    public Lion(List<ParameterGroup> groups, double learningRate) {
        this(groups, learningRate, 0.9, 0.99);
    }

    /**
     * @param beta1 β₁, the weight of m in the update's direction, at least 0 and less than 1
     * @param beta2 β₂, the decay of m, at least 0 and less than 1
     * @throws IllegalArgumentException if a number is out of range, or as {@link Optimizer#Optimizer(List, double, String...)}
     */
    public Lion(List<ParameterGroup> groups, double learningRate, double beta1, double beta2) {
        super(groups, learningRate, "exp_avg");
        if (!(beta1 >= 0 && beta1 < 1 && beta2 >= 0 && beta2 < 1)) {
            throw new IllegalArgumentException(
                    "Lion: beta1 and beta2 are " + beta1 + " and " + beta2 + "; each must be in [0, 1)");
        }
        this.beta1 = beta1;
        this.beta2 = beta2;
    }

    @Override
    protected void update(ParameterStep step) {
        Tensor m = step.state("exp_avg");
        Tensor direction = InPlace.copy(m);
        InPlace.lerp(direction, step.gradient(), 1 - beta1);
        InPlace.sign(direction);

        InPlace.scale(step.weight(), 1 - step.learningRate() * step.weightDecay());
        InPlace.add(step.weight(), direction, -step.learningRate());

        InPlace.lerp(m, step.gradient(), 1 - beta2);
    }
}
