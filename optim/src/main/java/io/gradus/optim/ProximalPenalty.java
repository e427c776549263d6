package io.gradus.optim;

import io.gradus.autograd.Variable;
import io.gradus.core.MemoryCategory;
import io.gradus.core.Names;
import io.gradus.core.Scope;
import io.gradus.core.Tensor;
import java.util.Collection;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * A quadratic penalty on the distance from the pre-trained weights, against forgetting:
 *
 * <pre>
 *   Ω(θ) = λ/2 · Σ Fᵢ(θᵢ − θ₀ᵢ)²          ∂Ω/∂θᵢ = λFᵢ(θᵢ − θ₀ᵢ)
 * </pre>
 *
 * With F = 1 this is L2-SP (Li, Grandvalet &amp; Davoine 2018, equation 2, where λ is called α), with F the diagonal of
 * the Fisher information it is elastic weight consolidation (EWC; Kirkpatrick et al. 2017, equation 3): weights that the
 * old task depends on are penalized more.
 *
 * <h2>In the optimizer's step</h2>
 *
 * The gradient above could be added to the gradient of the loss. Adam would then divide it by √v: weights with large
 * gradients would hardly be penalized, and weights with small gradients could not move, whatever F is. Weight decay has the
 * same problem and the same solution (Loshchilov &amp; Hutter 2019, section 2): the penalty is decoupled. It acts on θ′, the
 * weight after the method's own update, and does not enter m and v. It is also implicit: its step is the proximal operator
 * of Ω (Parikh &amp; Boyd 2014, section 4.2):
 *
 * <pre>
 *   θ = argminₓ  ½‖x − θ′‖² + η·Ω(x)
 *     ⇔ x − θ′ + ηλF(x − θ₀) = 0
 *     ⇔ θ = θ₀ + (θ′ − θ₀)/(1 + ηλF)
 * </pre>
 *
 * To first order in ηλF this is {@code θ′ − ηλF(θ′ − θ₀)}, as AdamW decays weights. That form diverges if ηλF is above 2; the
 * proximal step is stable for any λ. With λ = 0 the weights are exactly those of training without a penalty, and with λ = ∞
 * exactly θ₀. With plain SGD this is the proximal gradient method, whose fixed points are the stationary points of loss + Ω.
 * The step reads the weights and θ₀ once and adds nothing to the graph.
 */
public final class ProximalPenalty {
    private final AnchorWeights anchor;
    private final @Nullable FisherInformation importance;
    private final double strength;

    private ProximalPenalty(AnchorWeights anchor, @Nullable FisherInformation importance, double strength) {
        if (!(strength >= 0)) {
            throw new IllegalArgumentException("penalty: the strength is " + strength + "; it must be at least 0");
        }
        this.anchor = anchor;
        this.importance = importance;
        this.strength = strength;
    }

    /**
     * L2-SP: F is 1 for every weight.
     *
     * @param strength λ, from 0 to infinity
     * @throws IllegalArgumentException if the strength is negative or NaN
     */
    public static ProximalPenalty l2sp(AnchorWeights anchor, double strength) {
        return new ProximalPenalty(anchor, null, strength);
    }

    /**
     * Elastic weight consolidation: F is the importance of each weight.
     *
     * @param strength λ, from 0 to infinity. It multiplies F, which is usually tiny: see
     *     {@link FisherInformation#normalized()}
     * @throws IllegalArgumentException if the strength is negative or NaN
     */
    public static ProximalPenalty ewc(AnchorWeights anchor, FisherInformation importance, double strength) {
        return new ProximalPenalty(anchor, importance, strength);
    }

    /** λ. */
    public double strength() {
        return strength;
    }

    /** θ₀. */
    public AnchorWeights anchor() {
        return anchor;
    }

    /** Ω(θ), summed in double precision. */
    public double value(Collection<Variable> parameters) {
        double sum = 0;
        for (Variable parameter : parameters) {
            sum += Precision.compute(parameter.value(), value -> {
                Tensor difference = InPlace.copy(value);
                InPlace.subtract(difference, anchor.of(parameter));
                if (importance != null) { // F(θ − θ₀)² as the square of √F·(θ − θ₀)
                    Tensor root = InPlace.copy(importance.of(parameter));
                    InPlace.sqrt(root);
                    InPlace.multiply(difference, root);
                }
                return GradientClipping.sumOfSquares(List.of(difference));
            });
        }
        return sum == 0 ? 0 : strength / 2 * sum;
    }

    /** ∂Ω/∂θ for one parameter, in its shape, to add it to the gradient instead of using {@link Optimizer#setPenalty}. */
    public Tensor gradient(Variable parameter) {
        Tensor from = anchor.of(parameter);
        Tensor gradient = from.to(from.device(), from.dtype(), MemoryCategory.GRADIENTS);
        try (Scope _ = Scope.open("penalty")) {
            InPlace.scale(gradient, -1);
            InPlace.add(gradient, Precision.widen(parameter.value()));
        }
        if (importance != null) {
            InPlace.multiply(gradient, importance.of(parameter));
        }
        InPlace.scale(gradient, strength);
        return gradient;
    }

    /**
     * The proximal step, after the optimizer's own.
     *
     * @param weight the parameter's value, or its F32 master
     * @param learningRate η
     */
    void proximalStep(Variable parameter, Tensor weight, double learningRate) {
        if (learningRate > 0 && strength > 0) { // avoids 0 · ∞
            Tensor factors = importance == null ? null : importance.of(parameter);
            weight.kernels()
                    .optimizerSteps()
                    .proximalStep(weight, anchor.of(parameter), factors, learningRate * strength);
        }
    }

    /** @throws IllegalArgumentException if a parameter has no anchor or no importance; names it */
    void requireCovers(String optimizer, Collection<Variable> parameters) {
        List<String> unknown = anchor.unknown(parameters);
        if (unknown.isEmpty() && importance != null) {
            unknown = importance.unknown(parameters);
        }
        if (!unknown.isEmpty()) {
            throw new IllegalArgumentException(
                    optimizer + ": the penalty has no anchor weights or no Fisher information for " + Names.few(unknown)
                            + "; create both from all parameters of the same model");
        }
    }

    /** Such as {@code L2-SP, λ = 0.01}. */
    @Override
    public String toString() {
        return (importance == null ? "L2-SP" : "EWC") + ", λ = " + strength;
    }
}
