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
 * The negative log-likelihood of the target class t under the softmax of a row of logits x:
 * {@code l = −ln softmax(x)ₜ = ln Σⱼ e^{xⱼ} − xₜ}.
 *
 * <p>The derivative of the first term with respect to {@code xₖ} is {@code softmax(x)ₖ}, that of the second is
 * {@code −1} if {@code k = t}, so
 *
 * <pre>
 *   dxₖ = dl·(softmax(x)ₖ − [k = t])
 * </pre>
 *
 * the predicted probability minus the true one. The losses of the rows are then weighted and reduced: with weights w (1
 * if there are none), the sum is {@code Σ wᵢlᵢ} and the mean {@code Σ wᵢlᵢ / Σ wᵢ}, over the rows that are not ignored.
 * So {@code dlᵢ = dy·wᵢ} or {@code dy·wᵢ/Σ wᵢ}. For label smoothing see {@link LabelSmoothing}.
 *
 * <p>A sum or a mean is usually the end of the graph, where dy is 1. So the forward pass computes the gradient for
 * {@code dy = 1} together with the losses, while it reads the logits, and the backward pass only passes it on. Without
 * reduction dy is unknown; then each row's {@code ln Σ e^x} is kept, from which the backward pass computes the softmax
 * again.
 */
public final class CrossEntropy extends Operation {
    /** The target that PyTorch and Hugging Face ignore. */
    public static final int IGNORE_INDEX = -100;

    private final RowLosses rows;
    private final Tensor targets; // I32 [N]
    private final int ignoreIndex;
    private final Reduction reduction;
    private Tensor logits; // […, V], N rows
    private double factor = 1; // of the sum of the weighted losses
    private @Nullable Tensor logSumExp; // [N], without reduction
    private @Nullable Tensor dlogits; // […, V], for dy = 1, until the backward pass takes it
    private @Nullable LabelSmoothing smoothing;

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

    /** Takes the logits {@code […, V]}. */
    @Override
    protected Tensor forward(Tensor... inputs) {
        logits = inputs[0];
        Shape shape = logits.shape();
        if (shape.rank() == 0 || shape.rows() != targets.size()) {
            throw new ShapeException(
                    label(),
                    "logits […, V] need one target per row",
                    "pass targets of the logits' shape without the last axis",
                    logits,
                    targets);
        }
        factor = rows.factor();
        smoothing = rows.smoothing(logits);
        Tensor losses = Results.exact(logits, targets.shape());
        if (reduction != Reduction.NONE && isRecorded()) {
            dlogits = gradient(factor, losses);
        } else {
            logSumExp = Results.exact(logits, targets.shape());
            kernels().forward(rows(logits), targets, ignoreIndex, losses, logSumExp);
        }
        if (smoothing != null) {
            smoothing.addToLosses(losses, rows(logits));
        }
        return rows.reduced(losses, factor, shape.sub(0, shape.rank() - 1));
    }

    @Override
    protected void backward(Tensor dy, Gradients gradients) {
        if (reduction == Reduction.NONE) {
            Tensor dlosses = dy.reshape(targets.shape());
            Tensor weighted = rows.weighted(dlosses);
            gradients.write(0, (dx, add) -> write(weighted, rows(dx), add));
            if (weighted != dlosses) {
                weighted.release();
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

    /** The gradient of single losses. */
    private void write(Tensor dlosses, Tensor dx, boolean add) {
        kernels().backward(rows(logits), targets, ignoreIndex, Objects.requireNonNull(logSumExp), dlosses, dx, add);
        if (smoothing != null) {
            smoothing.addToGradient(dlosses, dx);
        }
    }

    /**
     * The gradient that {@link #forward} computed, scaled in place; computed again if a retained graph is visited
     * again.
     */
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

    /** The gradient of {@code scale} times the sum of the weighted losses, which are written too, without smoothing. */
    private Tensor gradient(double scale, Tensor losses) {
        Tensor gradient = Tensor.empty(logits.device(), logits.dtype(), logits.shape(), MemoryCategory.GRADIENTS);
        kernels().forwardBackward(rows(logits), targets, ignoreIndex, rows.weights(), scale, losses, rows(gradient));
        if (smoothing != null) {
            Tensor dlosses = Workspace.like(logits, targets.shape());
            dlosses.kernels().elementwise().fill(dlosses, scale);
            Tensor weighted = rows.weighted(dlosses);
            smoothing.addToGradient(weighted, rows(gradient));
            dlosses.release();
            weighted.release();
        }
        return gradient;
    }

    private CrossEntropyKernels kernels() {
        return logits.kernels().crossEntropy();
    }

    private static Tensor rows(Tensor x) {
        return x.reshape(x.shape().rows(), x.shape().last());
    }
}
