package io.gradus.optim;

import io.gradus.autograd.Variable;
import io.gradus.core.Tensor;
import java.util.Collection;
import java.util.List;
import java.util.Objects;

/**
 * Clipping by the global norm (Pascanu et al. 2013, algorithm 1): when the gradient of all parameters together, as one
 * vector, is longer than allowed, it is shortened and keeps its direction. Nothing is written here; the factor goes
 * into the optimiser's step.
 *
 * <pre>{@code
 * double norm = GradientClipping.norm(optimizer.parameters());
 * optimizer.step(clipping.factor(norm));
 * }</pre>
 *
 * Gradients that were summed over n tokens and are to be averaged have the norm {@code norm / n}, and the step takes
 * {@code clipping.factor(norm / n) / n}.
 *
 * @param maxNorm the longest gradient allowed, above 0; 1 is usual, infinity clips nothing
 */
public record GradientClipping(double maxNorm) {
    /** PyTorch's guard against a division by zero; kept so that results agree. */
    private static final double EPSILON = 1e-6;

    /** @throws IllegalArgumentException when the limit is not above 0 */
    public GradientClipping {
        if (!(maxNorm > 0)) {
            throw new IllegalArgumentException("clipping: maxNorm is " + maxNorm + "; it must be above 0");
        }
    }

    /**
     * What the gradients are multiplied by so that their norm is at most {@link #maxNorm}:
     * {@code min(1, maxNorm / (norm + 1e-6))}, as PyTorch's {@code clip_grad_norm_} has it.
     *
     * @throws IllegalArgumentException when the norm is negative or not finite
     */
    public double factor(double norm) {
        if (!(norm >= 0) || Double.isInfinite(norm)) {
            throw new IllegalArgumentException("clipping: the gradient's norm is " + norm + "; it cannot be scaled");
        }
        return Math.min(1, maxNorm / (norm + EPSILON));
    }

    /**
     * The Euclidean norm of all gradients as one vector, summed in double precision; the same gradients give the same
     * bits. Parameters without a gradient, and frozen ones, count for nothing.
     *
     * @throws ArithmeticException when it is not finite; the message names the parameters whose gradient is the cause
     */
    public static double norm(Collection<Variable> parameters) {
        List<Tensor> gradients = trained(parameters).stream()
                .map(parameter -> Objects.requireNonNull(parameter.grad()))
                .toList();
        double sum = sumOfSquares(gradients);
        if (!Double.isFinite(sum)) {
            throw new ArithmeticException("the gradient's norm is " + Math.sqrt(sum)
                    + "; not finite is the gradient of " + Names.few(nonFinite(parameters))
                    + "; a lower learning rate or a longer warm-up often helps");
        }
        return Math.sqrt(sum);
    }

    /** The names of the parameters whose gradient holds a NaN or an infinity, in their order. */
    public static List<String> nonFinite(Collection<Variable> parameters) {
        return trained(parameters).stream()
                .filter(parameter -> !Double.isFinite(sumOfSquares(List.of(Objects.requireNonNull(parameter.grad())))))
                .map(ParameterGroup::nameOf)
                .toList();
    }

    private static List<Variable> trained(Collection<Variable> parameters) {
        return parameters.stream()
                .filter(parameter -> parameter.requiresGrad() && parameter.grad() != null)
                .toList();
    }

    static double sumOfSquares(List<Tensor> tensors) {
        if (tensors.stream().noneMatch(tensor -> tensor.dtype().isHalf())) {
            return tensors.isEmpty()
                    ? 0
                    : tensors.getFirst().kernels().reduction().sumOfSquares(tensors);
        }
        double sum = 0;
        for (Tensor tensor : tensors) {
            sum += Precision.compute(tensor, wide -> wide.kernels().reduction().sumOfSquares(List.of(wide)));
        }
        return sum;
    }
}
