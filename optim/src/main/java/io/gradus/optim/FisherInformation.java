package io.gradus.optim;

import io.gradus.autograd.Variable;
import io.gradus.core.Scope;
import io.gradus.core.Tensor;
import io.gradus.core.kernel.ElementwiseKernels.Binary;
import java.util.Collection;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.LongConsumer;

/**
 * The diagonal of the Fisher information: how much each weight matters to what a model says of some data.
 *
 * <pre>
 *   Fᵢ = E[(∂ log p(y|x, θ)/∂θᵢ)²]  ≈  1/n · Σ (∂ log p(yₖ|xₖ, θ)/∂θᵢ)²
 * </pre>
 *
 * (Kirkpatrick et al. 2017). Near a minimum it is the curvature of the loss (Martens 2020, section 5), so that
 * {@code ½F(θ − θ₀)²} tells what moving the weight costs.
 *
 * <p>Two things are usual and should be known. With y from the model's own distribution this is the Fisher information;
 * with y as the data have it, the <em>empirical</em> one, which is what most implementations take and which differs
 * where the model is far from the data (Kunstner et al. 2019). Text that was sampled from the model gives the former.
 *
 * <p>And the square of a sum is not the sum of squares. One sample per backward pass gives the formula. A batch of B
 * gives the square of one sum of gradients, and samples that disagree cancel: of a mean over B it is about F/B where
 * gradients are independent with mean 0, of a sum over B, B times F. The shape over the weights stays about right, the
 * scale does not, hence {@link #normalized()}. A sample may be one sequence, whose log likelihood is the sum over its
 * tokens.
 */
public final class FisherInformation {
    private static final String SUFFIX = ".fisher";

    private static final String OWNER = "Fisher information";

    private final ParameterTensors tensors;

    private FisherInformation(ParameterTensors tensors) {
        this.tensors = tensors;
    }

    /**
     * Estimates it: n times, gradients are cleared, the caller's forward and backward pass is run, and the squares of
     * the gradients are added up. Gradients are cleared at the end as well.
     *
     * @param parameters named ones; a frozen one, and one that got no gradient, has F = 0
     * @param samples n, at least 1
     * @param backward makes the gradients of the log likelihood of sample k, counted from 0, or of its negative: the
     *     square is the same. It opens a {@link Scope} of its own if it wants one
     * @throws IllegalArgumentException when n is smaller
     * @throws ArithmeticException when the square of a gradient is not finite; the message names the parameters
     */
    public static FisherInformation estimate(Collection<Variable> parameters, long samples, LongConsumer backward) {
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
        FisherInformation information = new FisherInformation(sums);
        information.scale(1.0 / samples);
        information.requireFinite();
        return information;
    }

    /** Takes over what {@link #state()} gave; the tensors must outlive every {@link Scope}. */
    public static FisherInformation of(Map<String, Tensor> state) {
        Map<String, Tensor> tensors = new LinkedHashMap<>();
        state.forEach((name, tensor) -> {
            if (!name.endsWith(SUFFIX)) {
                throw new IllegalArgumentException("Fisher information: unexpected: " + name);
            }
            tensors.put(name.substring(0, name.length() - SUFFIX.length()), tensor);
        });
        return new FisherInformation(new ParameterTensors(OWNER, tensors));
    }

    /** F under {@code <parameter>.fisher}, so that a run that is resumed need not estimate it again. */
    public Map<String, Tensor> state() {
        return tensors.state(SUFFIX);
    }

    /**
     * F of a parameter's weights, in its shape.
     *
     * @throws IllegalArgumentException when it was not estimated for that parameter
     */
    public Tensor of(Variable parameter) {
        return tensors.of(parameter);
    }

    /** The mean over all weights. */
    public double mean() {
        double sum = 0;
        long weights = 0;
        for (Tensor tensor : tensors.byName().values()) {
            sum += sum(tensor);
            weights += tensor.size();
        }
        return sum / weights;
    }

    /**
     * The same importance with a mean of 1, in place: λ then means what it means in L2-SP, and whether samples were
     * batched, summed or averaged no longer matters.
     *
     * @throws IllegalStateException when F is 0 everywhere
     */
    public FisherInformation normalized() {
        double mean = mean();
        if (!(mean > 0)) {
            throw new IllegalStateException("Fisher information: it is 0 for every weight; no gradient arrived");
        }
        scale(1 / mean);
        return this;
    }

    private void scale(double factor) {
        tensors.byName().values().forEach(tensor -> InPlace.scale(tensor, factor));
    }

    private static double sum(Tensor tensor) {
        return Precision.compute(tensor, wide -> {
            Tensor root = InPlace.copy(wide);
            InPlace.sqrt(root);
            return GradientClipping.sumOfSquares(List.of(root));
        });
    }

    private void requireFinite() {
        List<String> bad = tensors.byName().entrySet().stream()
                .filter(entry -> !Double.isFinite(sum(entry.getValue())))
                .map(Map.Entry::getKey)
                .toList();
        if (!bad.isEmpty()) {
            throw new ArithmeticException(
                    "Fisher information: not finite is the square of the gradient of " + Names.few(bad)
                            + "; in F16 compute in BF16 instead, or scale the log likelihood down by a constant");
        }
    }

    /** Parameters that it was not estimated for, by name. */
    List<String> unknown(Collection<Variable> parameters) {
        return tensors.unknown(parameters);
    }
}
