package io.gradus.optim;

import io.gradus.autograd.Variable;
import io.gradus.core.MemoryCategory;
import io.gradus.core.Scope;
import io.gradus.core.Tensor;
import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.function.Function;

/**
 * θ₀, a copy of the weights before training. {@link ProximalPenalty} keeps a model close to them, and a tuned model can be
 * interpolated with them afterwards. The copy is as large as the weights and counts as
 * {@link MemoryCategory#OPTIMIZER_STATE}.
 *
 * <p>It is not part of {@link Optimizer#state()}, since it does not change during a run and is on disk already. To resume a
 * run, load the base model again and copy its parameters; the run then continues with the same bits. If there is no base
 * model, save {@link #tensors()} and pass them to {@link #of(Map)}.
 */
public final class AnchorWeights {
    private static final String OWNER = "anchor weights";

    private final ParameterTensors tensors;

    private AnchorWeights(ParameterTensors tensors) {
        this.tensors = tensors;
    }

    /**
     * Copies the current values of named parameters. 16-bit values are converted to F32, which is exact.
     */
    public static AnchorWeights of(Collection<Variable> parameters) {
        return of(parameters, Variable::value);
    }

    /**
     * Copies the current weights of named parameters.
     *
     * @param weights maps a parameter to its weights, such as {@link Optimizer#weight} for 16-bit parameters with a master
     */
    public static AnchorWeights of(Collection<Variable> parameters, Function<Variable, Tensor> weights) {
        return new AnchorWeights(ParameterTensors.copies(OWNER, parameters, weights));
    }

    /** Uses saved tensors, by parameter name, without copying them. They must outlive every {@link Scope}. */
    public static AnchorWeights of(Map<String, Tensor> tensors) {
        return new AnchorWeights(new ParameterTensors(OWNER, tensors));
    }

    /** θ₀ by parameter name. The tensors are not copies. */
    public Map<String, Tensor> tensors() {
        return tensors.byName();
    }

    /**
     * The anchor of a parameter, in its shape.
     *
     * @throws IllegalArgumentException if the parameter was not copied, or has another shape
     */
    public Tensor of(Variable parameter) {
        return tensors.of(parameter);
    }

    /** The Euclidean distance {@code ‖θ − θ₀‖} over all weights of the parameters, summed in double precision. */
    public double distance(Collection<Variable> parameters) {
        double sum = 0;
        for (Variable parameter : parameters) {
            sum += Precision.compute(parameter.value(), value -> {
                Tensor difference = InPlace.copy(value);
                InPlace.subtract(difference, of(parameter));
                return GradientClipping.sumOfSquares(List.of(difference));
            });
        }
        return Math.sqrt(sum);
    }

    /**
     * Interpolates the weights with the anchor in place: {@code θ = (1 − α)·θ₀ + α·θ} (WiSE-FT; Wortsman et al. 2022, Robust
     * fine-tuning of zero-shot models, equation 1). The interpolated model often keeps nearly everything it learned and
     * recovers much of what it forgot.
     *
     * @param alpha 0 gives θ₀ and 1 changes nothing, both exactly
     * @throws IllegalArgumentException if alpha is not in [0, 1] or a parameter has no anchor; nothing is changed
     */
    public void interpolate(Collection<Variable> parameters, double alpha) {
        interpolate(parameters, alpha, Variable::value);
    }

    /**
     * Interpolates 16-bit parameters through their masters, and rounds the parameters from them.
     *
     * @param weights maps a parameter to its weights, such as {@link Optimizer#weight}
     */
    public void interpolate(Collection<Variable> parameters, double alpha, Function<Variable, Tensor> weights) {
        if (!(alpha >= 0 && alpha <= 1)) {
            throw new IllegalArgumentException("anchor weights: alpha is " + alpha + "; it must be in [0, 1]");
        }
        parameters.forEach(this::of);
        for (Variable parameter : parameters) {
            // a proximal step of strength s leaves 1/(1 + s) of the distance, which is α
            Tensor weight = weights.apply(parameter);
            Precision.change(
                    weight,
                    value -> value.kernels()
                            .optimizerSteps()
                            .proximalStep(value, of(parameter), null, (1 - alpha) / alpha));
            if (weight != parameter.value()) {
                parameter.value().copyFrom(weight);
            }
        }
    }

    /** The names of the parameters without an anchor of their shape. */
    List<String> unknown(Collection<Variable> parameters) {
        return tensors.unknown(parameters);
    }

    /** Such as {@code anchor weights of 47 tensors, 272640 weights}. */
    @Override
    public String toString() {
        long weights =
                tensors.byName().values().stream().mapToLong(Tensor::size).sum();
        return "anchor weights of " + tensors.byName().size() + " tensors, " + weights + " weights";
    }
}
