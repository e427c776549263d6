package io.gradus.optim;

import io.gradus.autograd.Variable;
import io.gradus.core.Names;
import io.gradus.core.Tensor;
import java.util.Collection;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.function.Supplier;

/**
 * Clipping by global norm (Pascanu et al. 2013, algorithm 1): if the gradient of all parameters, as one vector, is longer than
 * the maximum, it is scaled down to it. The gradients are not changed; the optimizer's step multiplies them by the factor.
 *
 * {@snippet :
 * Variable w = Variable.parameter("w", Tensor.of(new float[] {3}, 1));
 * Optimizer optimizer = new Sgd(ParameterGroups.single(List.of(w), 0), 0.1);
 * GradientClipping clipping = new GradientClipping(1);
 * w.multiply(w).sum().backward();
 * double norm = GradientClipping.norm(optimizer.parameters()); // 6
 * optimizer.step(clipping.factor(norm)); // as if the gradient were 1
 * }
 *
 * To average gradients that were summed over n tokens, use {@code clipping.factor(norm / n) / n}.
 *
 * @param maxNorm the maximum norm, greater than 0; 1 is usual, and infinity disables clipping
 */
public record GradientClipping(double maxNorm) {
    /** As in PyTorch, where it avoids a division by zero. */
    private static final double EPSILON = 1e-6;

    /** @throws IllegalArgumentException if the maximum is not greater than 0 */
    public GradientClipping {
        if (!(maxNorm > 0)) {
            throw new IllegalArgumentException("clipping: maxNorm is " + maxNorm + "; it must be greater than 0");
        }
    }

    /**
     * The factor that scales gradients to a norm of at most {@link #maxNorm}: {@code min(1, maxNorm / (norm + 1e-6))}, as in
     * PyTorch's {@code clip_grad_norm_}.
     *
     * @throws IllegalArgumentException if the norm is negative or not finite
     */
    public double factor(double norm) {
        if (!(norm >= 0) || Double.isInfinite(norm)) {
            throw new IllegalArgumentException(
                    "clipping: the gradient's norm is " + norm + "; it must be a number of at least 0");
        }
        return Math.min(1, maxNorm / (norm + EPSILON));
    }

    /**
     * The Euclidean norm of all gradients as one vector, summed in double precision in a fixed order. Frozen parameters and
     * parameters without a gradient are skipped.
     *
     * @throws ArithmeticException if it is not finite; names the parameters whose gradients are the cause
     */
    public static double norm(Collection<Variable> parameters) {
        List<Tensor> gradients = trained(parameters).stream()
                .map(parameter -> Objects.requireNonNull(parameter.grad()))
                .toList();
        return root(sumOfSquares(gradients), () -> nonFinite(parameters));
    }

    /**
     * {@link #norm(Collection)} of gradients that are divided among processes.
     *
     * @param squares of all parameters, completed by all processes
     */
    public static double norm(SquareSums squares) {
        return root(squares.total(), squares::nonFinite);
    }

    private static double root(double sum, Supplier<List<String>> nonFinite) {
        if (!Double.isFinite(sum)) {
            throw new ArithmeticException("the gradient's norm is " + Math.sqrt(sum)
                    + " because of the gradient of " + Names.few(nonFinite.get())
                    + "; try a lower learning rate or a longer warmup");
        }
        return Math.sqrt(sum);
    }

    /** The squares of the gradients that this process has, by parameter. Frozen parameters are skipped. */
    public static SquareSums squares(Collection<Variable> parameters) {
        Map<String, Tensor> gradients = new LinkedHashMap<>();
        trained(parameters)
                .forEach(parameter ->
                        gradients.put(ParameterGroup.nameOf(parameter), Objects.requireNonNull(parameter.grad())));
        return SquareSums.of(gradients);
    }

    /** The names of the parameters whose gradient contains a NaN or an infinity, in the order given. */
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
