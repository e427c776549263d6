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
 * θ₀, the weights that a run begins with: what {@link ProximalPenalty} holds a model near, and what a tuned model can be
 * mixed with afterwards. A copy as large as the weights, counted as {@link MemoryCategory#OPTIMIZER_STATE}.
 *
 * <p>It is not among {@link Optimizer#state()}: it does not change during a run and is on disk already. A run that is
 * resumed loads the base model once more, takes the starting point from its parameters, and goes on to the bit as if it
 * had not stopped. Where there is no base model, {@link #tensors()} can be saved and given to {@link #of(Map)}.
 */
public final class AnchorWeights {
    private static final String OWNER = "starting point";

    private final ParameterTensors tensors;

    private AnchorWeights(ParameterTensors tensors) {
        this.tensors = tensors;
    }

    /**
     * Copies parameters as they are now.
     *
     * @param parameters named ones; those of 16 bits are widened, which is exact
     */
    public static AnchorWeights of(Collection<Variable> parameters) {
        return of(parameters, Variable::value);
    }

    /**
     * Copies weights as they are now.
     *
     * @param weights of a parameter: its value, or the wider tensor that an optimiser keeps beside it
     */
    public static AnchorWeights of(Collection<Variable> parameters, Function<Variable, Tensor> weights) {
        return new AnchorWeights(ParameterTensors.copies(OWNER, parameters, weights));
    }

    /** Takes over tensors that were saved, by the name of their parameter; they must outlive every {@link Scope}. */
    public static AnchorWeights of(Map<String, Tensor> tensors) {
        return new AnchorWeights(new ParameterTensors(OWNER, tensors));
    }

    /** θ₀ by the names of the parameters; the tensors are this object's own and not copies. */
    public Map<String, Tensor> tensors() {
        return tensors.byName();
    }

    /**
     * Where a parameter started.
     *
     * @throws IllegalArgumentException when it is not among those that were copied, or has another shape
     */
    public Tensor of(Variable parameter) {
        return tensors.of(parameter);
    }

    /** How far parameters are from where they started: {@code ‖θ − θ₀‖}. */
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
     * Mixes tuned weights with those of the start, in place: {@code θ = (1 − α)·θ₀ + α·θ} (Wortsman et al. 2022, Robust
     * fine-tuning of zero-shot models, equation 1). Often a mixture keeps nearly all that was learnt and brings much of
     * what was forgotten back.
     *
     * @param alpha from 0, which gives θ₀, to 1, which changes nothing; both to the bit
     * @throws IllegalArgumentException when alpha is out of its range or a parameter is unknown; nothing has changed
     *     then
     */
    public void interpolate(Collection<Variable> parameters, double alpha) {
        interpolate(parameters, alpha, Variable::value);
    }

    /**
     * The same where an optimiser keeps wider weights beside parameters of 16 bits: those are mixed, and the parameters
     * rounded from them.
     *
     * @param weights of a parameter: its value, or the wider tensor
     */
    public void interpolate(Collection<Variable> parameters, double alpha, Function<Variable, Tensor> weights) {
        if (!(alpha >= 0 && alpha <= 1)) {
            throw new IllegalArgumentException("starting point: alpha is " + alpha + "; it must be in [0, 1]");
        }
        parameters.forEach(this::of);
        for (Variable parameter : parameters) {
            // a pull of s leaves 1/(1 + s) of the way, and that is α
            Tensor mixed = weights.apply(parameter);
            Precision.change(
                    mixed,
                    value -> value.kernels()
                            .optimizerSteps()
                            .pullTowards(value, of(parameter), null, (1 - alpha) / alpha));
            if (mixed != parameter.value()) {
                parameter.value().copyFrom(mixed);
            }
        }
    }

    /** Parameters that have no copy here, or one of another shape, by name. */
    List<String> unknown(Collection<Variable> parameters) {
        return tensors.unknown(parameters);
    }

    /** As {@code starting point of 47 tensors, 272640 weights}. */
    @Override
    public String toString() {
        long weights =
                tensors.byName().values().stream().mapToLong(Tensor::size).sum();
        return "starting point of " + tensors.byName().size() + " tensors, " + weights + " weights";
    }
}
