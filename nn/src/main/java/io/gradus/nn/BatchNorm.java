package io.gradus.nn;

import io.gradus.autograd.Autograd;
import io.gradus.autograd.Variable;
import io.gradus.core.DType;
import io.gradus.core.Shape;
import io.gradus.core.ShapeException;
import io.gradus.core.Tensor;

/**
 * Batch normalization of the columns of {@code [B, width]} (Ioffe &amp; Szegedy 2015), like {@code torch.nn.BatchNorm1d}: in
 * training mode {@code (x − μ)/√(σ² + eps)·weight + bias} with the mean and the variance of the batch, which also move the
 * running averages; in evaluation mode with these averages.
 *
 * <p>The averages are parameters without a gradient, so that they are saved and restored with the weights. They are F32 whatever
 * the dtype of the weights is.
 */
public final class BatchNorm extends Module implements Layer {
    /** The share of a batch in the running averages, PyTorch's default. */
    private static final double MOMENTUM = 0.1;

    private final Variable weight;
    private final Variable bias;
    private final Variable runningMean;
    private final Variable runningVar;
    private final double eps;

    /**
     * @param weights provides {@code weight}, {@code bias}, {@code running_mean} and {@code running_var}, {@code [width]},
     *     initialized to 1, 0, 0 and 1
     * @param eps added to the variance
     */
    public BatchNorm(WeightSource weights, long width, double eps) {
        Shape shape = Shape.of(width);
        this.weight = register(weights.parameter("weight", shape, Initializer.ones()));
        this.bias = register(weights.parameter("bias", shape, Initializer.zeros()));
        WeightSource exact = weights.to(DType.F32);
        this.runningMean = register(exact.parameter("running_mean", shape, Initializer.zeros()));
        this.runningVar = register(exact.parameter("running_var", shape, Initializer.ones()));
        runningMean.setRequiresGrad(false);
        runningVar.setRequiresGrad(false);
        this.eps = eps;
    }

    /**
     * @param x {@code [B, width]}; in training mode at least two rows
     * @return {@code [B, width]}
     */
    @Override
    public Variable forward(Variable x) {
        if (!isTraining()) {
            Variable scale = Variable.constant(runningVar.value()).add(eps).pow(-0.5);
            return x.subtract(Variable.constant(runningMean.value()))
                    .multiply(scale)
                    .multiply(weight)
                    .add(bias);
        }
        long rows = x.shape().get(0);
        if (rows < 2) {
            throw new ShapeException(
                    "batchNorm",
                    "a single row has no variance",
                    "train with batches of at least two rows (batch_size)",
                    x.value());
        }
        Variable mean = x.mean(0);
        Variable centered = x.subtract(mean);
        Variable variance = centered.multiply(centered).mean(0);
        Autograd.once(() -> {
            // the average takes the unbiased variance, as in PyTorch
            move(runningMean.value(), mean.value(), 1);
            move(runningVar.value(), variance.value(), (double) rows / (rows - 1));
            return rows;
        });
        return centered.multiply(variance.add(eps).pow(-0.5)).multiply(weight).add(bias);
    }

    private static void move(Tensor average, Tensor value, double factor) {
        var elementwise = average.kernels().elementwise();
        elementwise.affine(average, 1 - MOMENTUM, 0, average, false);
        elementwise.affine(value, MOMENTUM * factor, 0, average, true);
    }

    @Override
    protected String extraRepr() {
        return weight.shape().get(0) + ", eps=" + eps + ", momentum=" + MOMENTUM;
    }
}
