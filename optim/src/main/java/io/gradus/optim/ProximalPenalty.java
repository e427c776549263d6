package io.gradus.optim;

import io.gradus.autograd.Variable;
import io.gradus.core.MemoryCategory;
import io.gradus.core.Scope;
import io.gradus.core.Tensor;
import java.util.Collection;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * A spring between each weight and where it started, so that a model does not forget what it knew:
 *
 * <pre>
 *   Ω(θ) = λ/2 · Σ Fᵢ(θᵢ − θ₀ᵢ)²          ∂Ω/∂θᵢ = λFᵢ(θᵢ − θ₀ᵢ)
 * </pre>
 *
 * With F = 1 this is L2-SP (Li, Grandvalet &amp; Davoine 2018, equation 2, where λ is called α), with F the diagonal of
 * the Fisher information it is elastic weight consolidation (Kirkpatrick et al. 2017, equation 3): weights that the old
 * task depends on are held the harder.
 *
 * <h2>In the optimiser's step</h2>
 *
 * The gradient above could be added to the loss's. Adam would then divide it by √v like the rest: a weight with large
 * gradients would hardly be held, one with small gradients could not move, whatever F says, and in λ one would tune an
 * unknown. It is the case of weight decay (Loshchilov &amp; Hutter 2019, section 2), and so is the remedy: the pull is
 * decoupled, that is, it acts on the weight after the method's own update θ′ and stays out of m and v. It is also
 * implicit, taken at the end of the step, which is the proximal operator of Ω (Parikh &amp; Boyd 2014, section 4.2):
 *
 * <pre>
 *   θ = argminₓ  ½‖x − θ′‖² + η·Ω(x)
 *     ⇔ x − θ′ + ηλF(x − θ₀) = 0
 *     ⇔ θ = θ₀ + (θ′ − θ₀)/(1 + ηλF)
 * </pre>
 *
 * To first order in ηλF this is {@code θ′ − ηλF(θ′ − θ₀)}, as AdamW decays, but that overshoots when ηλF is above 2 and
 * this never does: λ = 0 is plain training to the bit, λ = ∞ leaves the weights at θ₀ to the bit, and in between any λ
 * is stable. With plain SGD it is the proximal gradient method, whose fixed points are the stationary points of loss + Ω.
 * It costs one pass over weights and start, and nothing in the graph.
 */
public final class ProximalPenalty {
    private final AnchorWeights start;
    private final @Nullable FisherInformation importance;
    private final double strength;

    private ProximalPenalty(AnchorWeights start, @Nullable FisherInformation importance, double strength) {
        if (!(strength >= 0)) {
            throw new IllegalArgumentException("penalty: the strength is " + strength + "; it must be at least 0");
        }
        this.start = start;
        this.importance = importance;
        this.strength = strength;
    }

    /**
     * L2-SP: every weight is held alike.
     *
     * @param strength λ, from 0 to infinity
     * @throws IllegalArgumentException when it is negative or NaN
     */
    public static ProximalPenalty l2sp(AnchorWeights start, double strength) {
        return new ProximalPenalty(start, null, strength);
    }

    /**
     * Elastic weight consolidation: each weight is held by its importance.
     *
     * @param strength λ, from 0 to infinity; it multiplies F, which is tiny as a rule: see
     *     {@link FisherInformation#normalized()}
     * @throws IllegalArgumentException when it is negative or NaN
     */
    public static ProximalPenalty ewc(AnchorWeights start, FisherInformation importance, double strength) {
        return new ProximalPenalty(start, importance, strength);
    }

    /** λ. */
    public double strength() {
        return strength;
    }

    public AnchorWeights start() {
        return start;
    }

    /** Ω(θ), summed in double precision. */
    public double value(Collection<Variable> parameters) {
        double sum = 0;
        for (Variable parameter : parameters) {
            sum += Precision.compute(parameter.value(), value -> {
                Tensor difference = InPlace.copy(value);
                InPlace.subtract(difference, start.of(parameter));
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

    /** ∂Ω/∂θ for one parameter, in its shape; for those who would rather add it to the gradient. */
    public Tensor gradient(Variable parameter) {
        Tensor from = start.of(parameter);
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
     * The proximal step, after the optimiser's own.
     *
     * @param value what the optimiser changes: the parameter's tensor, or the wider one that it keeps beside it
     * @param rate η
     */
    void pull(Variable parameter, Tensor value, double rate) {
        if (rate > 0 && strength > 0) { // else 0 · ∞
            Tensor factors = importance == null ? null : importance.of(parameter);
            value.kernels().optimizerSteps().pullTowards(value, start.of(parameter), factors, rate * strength);
        }
    }

    /** @throws IllegalArgumentException naming the parameters without a start or an importance */
    void requireCovers(String who, Collection<Variable> parameters) {
        List<String> unknown = start.unknown(parameters);
        if (unknown.isEmpty() && importance != null) {
            unknown = importance.unknown(parameters);
        }
        if (!unknown.isEmpty()) {
            throw new IllegalArgumentException(who + ": the penalty does not know " + Names.few(unknown)
                    + "; make its starting point and its Fisher information from all parameters of the same model");
        }
    }

    /** As {@code L2-SP, λ = 0.01}. */
    @Override
    public String toString() {
        return (importance == null ? "L2-SP" : "EWC") + ", λ = " + strength;
    }
}
