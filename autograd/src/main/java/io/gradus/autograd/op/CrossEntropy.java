package io.gradus.autograd.op;

import io.gradus.autograd.Gradients;
import io.gradus.autograd.Operation;
import io.gradus.core.Shape;
import io.gradus.core.ShapeException;
import io.gradus.core.Tensor;
import io.gradus.core.kernel.ElementwiseKernels.Binary;
import org.jspecify.annotations.Nullable;

/**
 * How surprised a model is by the right answer t: {@code l = −ln softmax(x)ₜ = ln Σⱼ e^{xⱼ} − xₜ} for each row of logits x.
 *
 * <p>The derivative of the first term in {@code xₖ} is {@code softmax(x)ₖ}, of the second {@code −1} where {@code k = t}, so
 *
 * <pre>
 *   dxₖ = dl·(softmax(x)ₖ − [k = t])
 * </pre>
 *
 * what the model believed, minus what was true. The rows' losses are then weighted and reduced: with weights w (1 when none
 * are given) the sum is {@code Σ wᵢlᵢ} and the mean {@code Σ wᵢlᵢ / Σ wᵢ}, over the rows whose target is not ignored; so
 * {@code dlᵢ = dy·wᵢ} and {@code dy·wᵢ/Σ wᵢ}. The softmax is computed again from the row's {@code ln Σ e^x}, the one number
 * per row that is kept beside the logits.
 */
public final class CrossEntropy extends Operation {
    /** The target that PyTorch and Hugging Face ignore. */
    public static final int IGNORE_INDEX = -100;

    /** What becomes of the rows' losses. */
    public enum Reduction {
        /** The weighted mean over the rows that count. */
        MEAN,
        /** The weighted sum. */
        SUM,
        /** One loss per row. */
        NONE
    }

    private final Tensor targets;
    private final int ignoreIndex;
    private final Reduction reduction;
    private final @Nullable Tensor weights;
    private Tensor rows;
    private Tensor logSumExp;
    private double factor = 1;

    /**
     * @param targets I32, of the logits' shape without the last axis
     * @param ignoreIndex the target of rows that do not count
     * @param weights of the shape of the targets, or null
     */
    public CrossEntropy(Tensor targets, int ignoreIndex, Reduction reduction, @Nullable Tensor weights) {
        this.targets = targets.reshape(targets.size());
        this.ignoreIndex = ignoreIndex;
        this.reduction = reduction;
        this.weights = weights == null ? null : weights.reshape(targets.size());
    }

    @Override
    protected Tensor forward(Tensor... inputs) {
        Tensor logits = inputs[0];
        Shape shape = logits.shape();
        if (shape.rank() == 0 || shape.rows() != targets.size()) {
            throw new ShapeException(
                    "crossEntropy",
                    "logits […, V] need one target per row",
                    "targets must have the logits' shape without the last axis",
                    shape,
                    targets.shape());
        }
        var kernels = logits.backend();
        rows = logits.reshape(shape.rows(), shape.last());
        logSumExp = logits.emptyLike(targets.shape());
        Tensor losses = logits.emptyLike(targets.shape());
        kernels.crossEntropy().forward(rows, targets, ignoreIndex, losses, logSumExp);
        losses = weighted(losses);
        if (reduction == Reduction.NONE) {
            return losses.reshape(shape.sub(0, shape.rank() - 1));
        }
        factor = reduction == Reduction.MEAN ? 1 / totalWeight() : 1;
        Tensor sum = logits.emptyLike(Shape.scalar());
        Tensor y = logits.emptyLike(Shape.scalar());
        kernels.reduction().sumTo(losses, sum, false);
        kernels.elementwise().affine(sum, factor, 0, y, false);
        return y;
    }

    @Override
    protected void backward(Tensor dy, Gradients gradients) {
        Tensor dlosses = Workspace.like(dy, targets.shape());
        dy.backend().elementwise().affine(dy.reshape(dy.size()), factor, 0, dlosses, false);
        Tensor dl = weighted(dlosses);
        gradients.write(
                0,
                (dx, add) -> dy.backend()
                        .crossEntropy()
                        .backward(rows, targets, ignoreIndex, logSumExp, dl, dx.reshape(rows.shape()), add));
        dlosses.release();
        dl.release();
    }

    private Tensor weighted(Tensor losses) {
        if (weights == null) {
            return losses;
        }
        Tensor product = losses.emptyLike(losses.shape());
        losses.backend().elementwise().binary(Binary.MULTIPLY, losses, weights, product, false);
        return product;
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
            throw new IllegalArgumentException("crossEntropy: of " + targets.size() + " targets none counts: each is "
                    + ignoreIndex + (weights == null ? "" : " or weighs 0")
                    + ", so there is no mean; are all labels masked? Skip this batch, or use Reduction.SUM");
        }
        return total;
    }
}
