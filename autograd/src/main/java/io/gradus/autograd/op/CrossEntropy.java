package io.gradus.autograd.op;

import io.gradus.autograd.CrossEntropyOptions;
import io.gradus.autograd.Gradients;
import io.gradus.autograd.Operation;
import io.gradus.autograd.Reduction;
import io.gradus.core.MemoryCategory;
import io.gradus.core.Shape;
import io.gradus.core.ShapeException;
import io.gradus.core.Tensor;
import io.gradus.core.kernel.CrossEntropyKernels;
import java.util.Objects;
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
 * {@code dlᵢ = dy·wᵢ} and {@code dy·wᵢ/Σ wᵢ}.
 *
 * <p>A sum or a mean is most often the end of the graph, where dy is 1. So the gradient for {@code dy = 1} is computed in the
 * same visit of the logits as the losses, and handed on by the backward pass as it is. Of single losses, whose dy is not known,
 * each row's {@code ln Σ e^x} is kept, and the softmax computed again from it.
 */
public final class CrossEntropy extends Operation {
    /** The target that PyTorch and Hugging Face ignore. */
    public static final int IGNORE_INDEX = -100;

    private final RowLosses rows;
    private final Tensor targets;
    private final int ignoreIndex;
    private final Reduction reduction;
    private Tensor logits;
    private double factor = 1;
    private @Nullable Tensor logSumExp;
    private @Nullable Tensor dlogits;

    /**
     * Creates the operation.
     *
     * @param targets I32, of the logits' shape without the last axis
     */
    public CrossEntropy(Tensor targets, CrossEntropyOptions options) {
        this.rows = RowLosses.of(label(), targets, options);
        this.targets = rows.targets();
        this.ignoreIndex = options.ignoreIndex();
        this.reduction = options.reduction();
    }

    @Override
    protected Tensor forward(Tensor... inputs) {
        logits = inputs[0];
        Shape shape = logits.shape();
        if (shape.rank() == 0 || shape.rows() != targets.size()) {
            throw new ShapeException(
                    "crossEntropy",
                    "logits […, V] need one target per row",
                    "targets must have the logits' shape without the last axis",
                    shape,
                    targets.shape());
        }
        factor = rows.factor();
        Tensor losses = logits.emptyLike(targets.shape());
        if (reduction != Reduction.NONE && isRecorded()) {
            dlogits = gradient(factor, losses);
        } else {
            logSumExp = logits.emptyLike(targets.shape());
            kernels().forward(rows(logits), targets, ignoreIndex, losses, logSumExp);
        }
        return rows.reduced(losses, factor, shape.sub(0, shape.rank() - 1));
    }

    @Override
    protected void backward(Tensor dy, Gradients gradients) {
        if (reduction == Reduction.NONE) {
            Tensor each = dy.reshape(targets.shape());
            Tensor dl = rows.weighted(each);
            gradients.write(
                    0,
                    (dx, add) -> kernels()
                            .backward(
                                    rows(logits),
                                    targets,
                                    ignoreIndex,
                                    Objects.requireNonNull(logSumExp),
                                    dl,
                                    rows(dx),
                                    add));
            if (dl != each) {
                dl.release();
            }
        } else {
            gradients.give(0, gradientTimes(dy.item()));
        }
    }

    @Override
    protected void release() {
        if (logSumExp != null) {
            logSumExp.release();
        }
        if (dlogits != null) {
            dlogits.release();
        }
    }

    /** The gradient that {@link #forward} computed, scaled in place; computed again when a retained graph is walked again. */
    private Tensor gradientTimes(double scale) {
        Tensor gradient = dlogits;
        dlogits = null;
        if (gradient == null) {
            Tensor losses = Workspace.like(logits, targets.shape());
            gradient = gradient(factor * scale, losses);
            losses.release();
        } else if (scale != 1) {
            gradient.kernels().elementwise().affine(gradient, scale, 0, gradient, false);
        }
        return gradient;
    }

    private Tensor gradient(double scale, Tensor losses) {
        Tensor gradient = Tensor.empty(logits.device(), logits.dtype(), logits.shape(), MemoryCategory.GRADIENTS);
        kernels().forwardBackward(rows(logits), targets, ignoreIndex, rows.weights(), scale, losses, rows(gradient));
        return gradient;
    }

    private CrossEntropyKernels kernels() {
        return logits.kernels().crossEntropy();
    }

    private static Tensor rows(Tensor x) {
        return x.reshape(x.shape().rows(), x.shape().last());
    }
}
