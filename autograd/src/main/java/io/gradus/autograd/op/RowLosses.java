package io.gradus.autograd.op;

import io.gradus.autograd.CrossEntropyOptions;
import io.gradus.autograd.Reduction;
import io.gradus.core.Shape;
import io.gradus.core.Tensor;
import io.gradus.core.kernel.ElementwiseKernels.Binary;
import org.jspecify.annotations.Nullable;

/**
 * The reduction of one loss per row to the result of a cross-entropy: losses are weighted, then summed or averaged over
 * the rows that are not ignored.
 *
 * @param operation the name in error messages
 * @param targets I32 {@code [N]}
 * @param ignoreIndex the target of ignored rows
 * @param weights {@code [N]}, or null for 1
 * @param labelSmoothing ε, 0 for none
 */
record RowLosses(
        String operation,
        Tensor targets,
        int ignoreIndex,
        Reduction reduction,
        @Nullable Tensor weights,
        double labelSmoothing) {

    /** Flattens the targets and the weights. */
    static RowLosses of(String operation, Tensor targets, CrossEntropyOptions options) {
        Tensor weights = options.sampleWeights();
        return new RowLosses(
                operation,
                targets.reshape(targets.size()),
                options.ignoreIndex(),
                options.reduction(),
                weights == null ? null : weights.reshape(targets.size()),
                options.labelSmoothing());
    }

    /** The label smoothing of logits, or null for none. */
    @Nullable LabelSmoothing smoothing(Tensor logits) {
        return labelSmoothing == 0 ? null : LabelSmoothing.of(labelSmoothing, logits, targets, ignoreIndex);
    }

    /**
     * The factor of the sum of the weighted losses.
     *
     * @throws IllegalArgumentException if the mean is requested and every row is ignored or has weight 0
     */
    double factor() {
        return reduction == Reduction.MEAN ? 1 / totalWeight() : 1;
    }

    /** The losses times the weights; the losses themselves if there are none. */
    Tensor weighted(Tensor losses) {
        if (weights == null) {
            return losses;
        }
        Tensor product = losses.emptyLike(losses.shape());
        losses.kernels().elementwise().binary(Binary.MULTIPLY, losses, weights, product, false);
        return product;
    }

    /**
     * The result of the operation.
     *
     * @param losses {@code [N]}; must not be used afterwards
     * @param rows the shape of the result without reduction
     */
    Tensor reduced(Tensor losses, double factor, Shape rows) {
        Tensor weighted = weighted(losses);
        if (reduction == Reduction.NONE) {
            return weighted.reshape(rows);
        }
        Tensor sum = Workspace.like(losses, Shape.scalar());
        Tensor y = losses.emptyLike(Shape.scalar());
        losses.kernels().reduction().sumTo(weighted, sum, false);
        losses.kernels().elementwise().affine(sum, factor, 0, y, false);
        losses.release();
        weighted.release();
        sum.release();
        return y;
    }

    /** The sum of the weights of the rows that are not ignored. */
    private double totalWeight() {
        double total = 0;
        if (weights == null) {
            total = targets.kernels().crossEntropy().count(targets, ignoreIndex);
        } else {
            int[] classes = targets.toInts();
            double[] weight = weights.toDoubles();
            for (int i = 0; i < classes.length; i++) {
                total += classes[i] == ignoreIndex ? 0 : weight[i];
            }
        }
        if (total == 0) {
            throw new IllegalArgumentException(operation + ": all " + targets.size() + " targets are " + ignoreIndex
                    + (weights == null ? "" : " or have weight 0")
                    + ", so there is no mean; are all labels masked? Skip this batch, or use Reduction.SUM");
        }
        return total;
    }
}
