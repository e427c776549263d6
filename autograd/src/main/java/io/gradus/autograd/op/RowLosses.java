package io.gradus.autograd.op;

import io.gradus.autograd.op.CrossEntropy.Reduction;
import io.gradus.core.Shape;
import io.gradus.core.Tensor;
import io.gradus.core.kernel.ElementwiseKernels.Binary;
import org.jspecify.annotations.Nullable;

/**
 * What becomes of the losses of rows: they are weighted, and summed or averaged over the rows that count.
 *
 * @param operation the name to give in an error
 * @param targets I32 {@code [N]}
 * @param ignoreIndex the target of rows that do not count
 * @param weights {@code [N]}, or null for 1
 */
record RowLosses(
        String operation,
        Tensor targets,
        int ignoreIndex,
        Reduction reduction,
        @Nullable Tensor weights) {

    /** @param targets of any shape; the weights, if any, of the same */
    RowLosses {
        targets = targets.reshape(targets.size());
        weights = weights == null ? null : weights.reshape(targets.size());
    }

    /**
     * What the sum of the weighted losses is multiplied by.
     *
     * @throws IllegalArgumentException when the mean is asked for and no row counts
     */
    double factor() {
        return reduction == Reduction.MEAN ? 1 / totalWeight() : 1;
    }

    /** The losses times the weights; the losses themselves when there are none. */
    Tensor weighted(Tensor losses) {
        if (weights == null) {
            return losses;
        }
        Tensor product = losses.emptyLike(losses.shape());
        losses.backend().elementwise().binary(Binary.MULTIPLY, losses, weights, product, false);
        return product;
    }

    /**
     * The result of the operation.
     *
     * @param losses {@code [N]}, not used any more
     * @param rows the shape of the losses when they are not reduced
     */
    Tensor reduced(Tensor losses, double factor, Shape rows) {
        Tensor weighted = weighted(losses);
        if (reduction == Reduction.NONE) {
            return weighted.reshape(rows);
        }
        Tensor sum = Workspace.like(losses, Shape.scalar());
        Tensor y = losses.emptyLike(Shape.scalar());
        losses.backend().reduction().sumTo(weighted, sum, false);
        losses.backend().elementwise().affine(sum, factor, 0, y, false);
        losses.release();
        weighted.release();
        sum.release();
        return y;
    }

    /** The sum of the weights of the rows that count. */
    private double totalWeight() {
        double total = 0;
        if (weights == null) {
            total = targets.backend().crossEntropy().count(targets, ignoreIndex);
        } else {
            int[] classes = targets.toInts();
            double[] weight = weights.toDoubles();
            for (int i = 0; i < classes.length; i++) {
                total += classes[i] == ignoreIndex ? 0 : weight[i];
            }
        }
        if (total == 0) {
            throw new IllegalArgumentException(operation + ": of " + targets.size() + " targets none counts: each is "
                    + ignoreIndex + (weights == null ? "" : " or weighs 0")
                    + ", so there is no mean; are all labels masked? Skip this batch, or use Reduction.SUM");
        }
        return total;
    }
}
