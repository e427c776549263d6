package io.gradus.optim;

import io.gradus.autograd.Variable;
import io.gradus.core.Names;
import io.gradus.core.Scope;
import io.gradus.core.Tensor;
import io.gradus.core.kernel.ElementwiseKernels.Binary;
import java.util.Collection;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.LongConsumer;

/**
 * The diagonal of the Fisher information: how much each weight matters to a model's predictions on some data.
 *
 * <pre>
 *   Fᵢ = E[(∂ log p(y|x, θ)/∂θᵢ)²]  ≈  1/n · Σ (∂ log p(yₖ|xₖ, θ)/∂θᵢ)²
 * </pre>
 *
 * (Kirkpatrick et al. 2017). Near a minimum it is the curvature of the loss (Martens 2020, section 5), so that
 * {@code ½F(θ − θ₀)²} is the increase of the loss when the weight moves.
 *
 * <p>If y is drawn from the model's own distribution, this is the Fisher information. If y is taken from the data, it is the
 * <em>empirical</em> Fisher information, which most implementations use and which differs where the model is far from the
 * data (Kunstner et al. 2019). Text sampled from the model gives the former.
 *
 * <p>The formula requires one sample per backward pass, because the square of a sum is not the sum of squares. A batch of B
 * samples gives the square of their summed gradient, in which opposite gradients cancel: if the gradients are independent with
 * mean 0, about F/B for a loss averaged over the batch, and B·F for a summed loss. The relative importance of the weights
 * remains about right, but the scale does not; see {@link #normalized()}. A sample may be one sequence, whose log likelihood
 * is the sum over its tokens.
 */
public final class FisherInformation {
    private static final String SUFFIX = ".fisher";

    private static final String OWNER = "Fisher information";

    private final ParameterTensors tensors;
    private final Others others;

    private FisherInformation(ParameterTensors tensors, Others others) {
        this.tensors = tensors;
        this.others = others;
    }

    /** What other processes have, if the parameters are divided among processes. */
    public interface Others {
        /** There are no other processes. */
        Others NONE = new Others() {
            @Override
            public SquareSums complete(SquareSums own) {
                return own;
            }

            @Override
            public long elements(long own) {
                return own;
            }
        };

        /** The sums of whole parameters, from those of this process. */
        SquareSums complete(SquareSums own);

        /** The number of elements that all processes have, from that of this process. */
        long elements(long own);
    }

    /**
     * Estimates F: for each of n samples, clears the gradients, runs the caller's forward and backward pass, and adds the
     * squares of the gradients. Clears the gradients at the end as well.
     *
     * @param parameters named parameters. F is 0 for a frozen one and for one that gets no gradient
     * @param samples n, at least 1
     * @param backward computes the gradients of the log likelihood, or of its negative, for sample k, counted from 0. Open a
     *     {@link Scope} in it to free its tensors after each sample
     * @throws IllegalArgumentException if n is less than 1
     * @throws ArithmeticException if the square of a gradient is not finite; names the parameters
     */
    public static FisherInformation estimate(Collection<Variable> parameters, long samples, LongConsumer backward) {
        return estimate(parameters, samples, backward, Others.NONE);
    }

    /**
     * {@link #estimate(Collection, long, LongConsumer)} of parameters that are divided among processes, all of which make the same
     * call.
     */
    public static FisherInformation estimate(
            Collection<Variable> parameters, long samples, LongConsumer backward, Others others) {
        if (samples < 1) {
            throw new IllegalArgumentException("Fisher information: " + samples + " samples; at least 1 is needed");
        }
        ParameterTensors sums = ParameterTensors.zeros(OWNER, parameters);
        for (long sample = 0; sample < samples; sample++) {
            parameters.forEach(Variable::clearGrad);
            backward.accept(sample);
            for (Variable parameter : parameters) {
                Tensor gradient = parameter.grad();
                if (gradient != null && parameter.requiresGrad()) {
                    Tensor sum = sums.of(parameter);
                    try (Scope _ = Scope.open("Fisher information")) {
                        Tensor wide = Precision.widen(gradient);
                        sum.kernels().elementwise().binary(Binary.MULTIPLY, wide, wide, sum, true);
                    }
                }
            }
        }
        parameters.forEach(Variable::clearGrad);
        FisherInformation information = new FisherInformation(sums, others);
        information.scale(1.0 / samples);
        information.requireFinite();
        return information;
    }

    /** Uses what {@link #state()} returned, without copying it. The tensors must outlive every {@link Scope}. */
    public static FisherInformation of(Map<String, Tensor> state) {
        Map<String, Tensor> tensors = new LinkedHashMap<>();
        state.forEach((name, tensor) -> {
            if (!name.endsWith(SUFFIX)) {
                throw new IllegalArgumentException(
                        OWNER + ": unexpected tensor " + name + "; names end with " + SUFFIX);
            }
            tensors.put(name.substring(0, name.length() - SUFFIX.length()), tensor);
        });
        return new FisherInformation(new ParameterTensors(OWNER, tensors), Others.NONE);
    }

    /** F by {@code <parameter>.fisher}, to save it for a resumed run. The tensors are not copies. */
    public Map<String, Tensor> state() {
        return tensors.state(SUFFIX);
    }

    /**
     * F of a parameter, in its shape.
     *
     * @throws IllegalArgumentException if it was not estimated for the parameter
     */
    public Tensor of(Variable parameter) {
        return tensors.of(parameter);
    }

    /** The mean of F over all weights. */
    public double mean() {
        SquareSums sums = sums();
        double sum = 0;
        for (String name : sums.byName().keySet()) {
            sum += sums.total(name);
        }
        return sum
                / others.elements(tensors.byName().values().stream()
                        .mapToLong(Tensor::size)
                        .sum());
    }

    /**
     * Scales F to a mean of 1, in place. λ then has the same meaning as in L2-SP, whether samples were batched, summed or
     * averaged.
     *
     * @return this
     * @throws IllegalStateException if F is 0 for every weight
     */
    public FisherInformation normalized() {
        double mean = mean();
        if (!(mean > 0)) {
            throw new IllegalStateException(
                    "Fisher information: it is 0 for every weight; check that the backward pass reaches the"
                            + " parameters");
        }
        scale(1 / mean);
        return this;
    }

    private void scale(double factor) {
        tensors.byName().values().forEach(tensor -> InPlace.scale(tensor, factor));
    }

    /** The sums of F, as those of the squares of √F. */
    private SquareSums sums() {
        Map<String, double[]> sums = new LinkedHashMap<>();
        tensors.byName().forEach((name, tensor) -> {
            SquareSums own = Precision.compute(tensor, wide -> {
                Tensor root = InPlace.copy(wide);
                InPlace.sqrt(root);
                return SquareSums.of(Map.of(name, root));
            });
            sums.putAll(own.byName());
        });
        return others.complete(new SquareSums(sums, false));
    }

    private void requireFinite() {
        List<String> bad = sums().nonFinite();
        if (!bad.isEmpty()) {
            throw new ArithmeticException(
                    "Fisher information: the square of the gradient is not finite for " + Names.few(bad)
                            + "; use BF16 instead of F16, or multiply the log likelihood by a smaller constant");
        }
    }

    /** The names of the parameters that it was not estimated for. */
    List<String> unknown(Collection<Variable> parameters) {
        return tensors.unknown(parameters);
    }
}
