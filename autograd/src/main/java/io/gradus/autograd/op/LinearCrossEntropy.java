package io.gradus.autograd.op;

import io.gradus.autograd.CrossEntropyOptions;
import io.gradus.autograd.Gradients;
import io.gradus.autograd.Operation;
import io.gradus.autograd.Reduction;
import io.gradus.core.GradientBuffer;
import io.gradus.core.MemoryCategory;
import io.gradus.core.Shape;
import io.gradus.core.ShapeException;
import io.gradus.core.Tensor;
import io.gradus.core.kernel.ElementwiseKernels;
import io.gradus.core.kernel.ElementwiseKernels.Binary;
import io.gradus.core.kernel.ElementwiseKernels.Unary;
import io.gradus.core.kernel.GemmKernels;
import io.gradus.core.kernel.GemmKernels.Epilogue;
import io.gradus.core.kernel.Kernels;
import java.util.Arrays;
import org.jspecify.annotations.Nullable;

/**
 * The cross-entropy of {@code logits = h·Wᵀ + b}, the end of a language model, without holding all logits. They and their
 * gradient would be the largest tensors of all, {@code [N, V]} (cf. Hsu et al. 2024, Liger Kernel; Wijmans et al. 2024,
 * Cut Your Losses). Rows are independent, so {@link Linear} and {@link CrossEntropy} are applied to a chunk of rows at
 * a time. The bias is optional.
 *
 * <p>With {@code lᵢ = ln Σⱼ e^{xᵢⱼ} − xᵢₜ} for row i, {@code pᵢ = softmax(xᵢ)} and the row's share dlᵢ of dy as in
 * {@link CrossEntropy},
 *
 * <pre>
 *   dxᵢ = dlᵢ·(pᵢ − onehot(tᵢ))      dh = dX·W      dW = dXᵀ·h      db = Σᵢ dxᵢ
 * </pre>
 *
 * dW and db are sums over rows and therefore over chunks.
 *
 * <p>The forward pass keeps one number per row, {@code ln Σⱼ e^{xᵢⱼ}}. The backward pass computes the logits of each
 * chunk again and overwrites them with their gradient. That is one more matrix product than with all logits in memory.
 * The forward pass could compute the gradients instead, as Liger does, but dW is as large as W and would be in memory
 * together with all activations.
 *
 * <p>With a softcap c, the logits are {@code x = c·tanh((h·Wᵀ + b)/c)} (Gemma Team 2024, section 2), and dX gets the factor
 * {@code 1 − tanh² = 1 − (x/c)²}.
 *
 * <p>A chunk in which every row is ignored, such as a masked prompt, is skipped.
 */
public final class LinearCrossEntropy extends Operation {
    /** With fewer rows per chunk, most of the time would be spent on reading W. */
    private static final long MIN_CHUNK = 128;

    private final RowLosses losses;
    private final int chunk;
    private final double softcap;
    private Tensor hidden; // h, [N, D]
    private Tensor weight; // W, [V, D]
    private @Nullable Tensor bias; // b, [V]
    private Tensor logSumExp; // [N]
    private boolean[] counts = {}; // for each chunk, whether it has a row that is not ignored
    private double factor; // of the sum of the weighted losses
    private @Nullable LabelSmoothing smoothing;

    /**
     * Creates the operation.
     *
     * @param targets I32, of the shape of h without the last axis
     * @param chunk rows of logits held at a time, or 0 for {@link #defaultChunk}
     * @param softcap the bound c of the logits, or 0 if there is none
     */
    public LinearCrossEntropy(Tensor targets, CrossEntropyOptions options, int chunk, double softcap) {
        if (!(softcap >= 0 && Double.isFinite(softcap))) {
            throw new IllegalArgumentException(
                    "linearCrossEntropy: a softcap of " + softcap + "; use a positive number, or 0 for none");
        }
        if (chunk < 0) {
            throw new IllegalArgumentException(
                    "linearCrossEntropy: a chunk of " + chunk + " rows; use at least 1, or 0 to choose automatically");
        }
        this.losses = RowLosses.of(label(), targets, options);
        this.chunk = chunk;
        this.softcap = softcap;
    }

    /**
     * The number of rows whose logits are about as large as h, and at least 128.
     *
     * @param rows N
     * @param width D
     * @param classes V
     */
    public static int defaultChunk(long rows, long width, long classes) {
        long like = Math.ceilDiv(rows * width, Math.max(1, classes));
        return Math.toIntExact(Math.clamp(Math.max(MIN_CHUNK, like), 1, Math.max(1, rows)));
    }

    /** Takes h {@code […, D]}, W {@code [V, D]} and, if there is one, the bias {@code [V]}. */
    @Override
    protected Tensor forward(Tensor... inputs) {
        Shape shape = inputs[0].shape();
        weight = inputs[1];
        if (shape.rank() == 0
                || weight.shape().rank() != 2
                || shape.last() != weight.shape().last()) {
            throw new ShapeException(
                    "linearCrossEntropy",
                    "h must be […, D] and the weight [V, D]",
                    "check hidden_size or n_embd",
                    inputs[0],
                    weight);
        }
        bias = inputs.length > 2 ? inputs[2] : null;
        if (bias != null && !bias.shape().equals(Shape.of(weight.shape().get(0)))) {
            throw new ShapeException(
                    "linearCrossEntropy",
                    "the bias does not match the weight",
                    "pass a bias [" + weight.shape().get(0) + "]",
                    weight,
                    bias);
        }
        if (shape.rows() != losses.targets().size()) {
            throw new ShapeException(
                    "linearCrossEntropy",
                    "h […, D] needs one target per row",
                    "pass targets of its shape without the last axis",
                    inputs[0],
                    losses.targets());
        }
        hidden = inputs[0].reshape(shape.rows(), shape.last());
        counts = chunksThatCount();
        factor = losses.factor();
        smoothing = losses.smoothing(hidden);
        Tensor each = Results.exact(hidden, losses.targets().shape());
        logSumExp = Results.exact(hidden, losses.targets().shape());
        each.kernels().elementwise().fill(each, 0);
        forEachChunk((from, to, logits) -> {
            Tensor chunk = each.slice(from, to);
            cap(logits, null);
            kernels()
                    .crossEntropy()
                    .forward(logits, targets(from, to), losses.ignoreIndex(), chunk, logSumExp.slice(from, to));
            if (smoothing != null) {
                smoothing.slice(from, to).addToLosses(chunk, logits);
            }
        });
        return losses.reduced(each, factor, shape.sub(0, shape.rank() - 1));
    }

    @Override
    protected boolean readsHalf(int input) {
        return input == 1;
    }

    @Override
    protected void backward(Tensor dy, Gradients gradients) {
        Tensor dlosses = gradientOfLosses(dy);
        GradientBuffer buffer = bias != null && gradients.wanted(2) ? gradients.buffer(2) : null;
        Target db = buffer == null ? null : new Target(buffer.gradient(), buffer.accumulate());
        boolean wantsH = gradients.wanted(0);
        boolean wantsW = gradients.wanted(1);
        if (wantsH && wantsW && hidden.storage() != weight.storage()) {
            gradients.write(
                    0,
                    (dh, addH) -> gradients.write(
                            1, (dw, addW) -> backward(dlosses, new Target(dh, addH), new Target(dw, addW), db)));
        } else {
            gradients.write(0, (dh, add) -> backward(dlosses, new Target(dh, add), null, db));
            gradients.write(1, (dw, add) -> backward(dlosses, null, new Target(dw, add), wantsH ? null : db));
            if (!wantsH && !wantsW) {
                backward(dlosses, null, null, db);
            }
        }
        dlosses.release();
    }

    @Override
    protected void release() {
        logSumExp.release();
    }

    /** The buffer of a gradient, and whether to add to it. */
    private record Target(Tensor gradient, boolean add) {}

    private void backward(Tensor dlosses, @Nullable Target dh, @Nullable Target dw, @Nullable Target db) {
        for (Target target : Arrays.asList(dh, dw, db)) {
            if (target != null && !target.add) {
                target.gradient.kernels().elementwise().fill(target.gradient, 0);
            }
        }
        Tensor rows = dh == null ? null : dh.gradient.reshape(hidden.shape());
        Tensor slopes = softcap == 0 ? null : logits();
        forEachChunk((from, to, logits) -> {
            Tensor slope = slopes == null ? null : slopes.slice(0, to - from);
            cap(logits, slope);
            Tensor sums = logSumExp.slice(from, to);
            Tensor outer = dlosses.slice(from, to);
            kernels()
                    .crossEntropy()
                    .backward(logits, targets(from, to), losses.ignoreIndex(), sums, outer, logits, false);
            if (smoothing != null) {
                smoothing.slice(from, to).addToGradient(outer, logits);
            }
            if (slope != null) {
                kernels().elementwise().binary(Binary.MULTIPLY, logits, slope, logits, false);
            }
            if (rows != null) {
                kernels().gemm().matmul(logits, false, weight, false, rows.slice(from, to), true);
            }
            if (dw != null) {
                kernels().gemm().matmul(logits, true, hidden.slice(from, to), false, dw.gradient, true);
            }
            if (db != null) {
                kernels().reduction().sumTo(logits, db.gradient, true);
            }
        });
        if (slopes != null) {
            slopes.release();
        }
    }

    /** {@code x = c·tanh(x/c)} if there is a softcap c, in place; and {@code 1 − tanh²} if wanted. */
    private void cap(Tensor logits, @Nullable Tensor slopes) {
        if (softcap == 0) {
            return;
        }
        ElementwiseKernels kernels = kernels().elementwise();
        kernels.affine(logits, 1 / softcap, 0, logits, false);
        kernels.unary(Unary.TANH, logits, logits);
        if (slopes != null) {
            kernels.binary(Binary.MULTIPLY, logits, logits, slopes, false);
            kernels.affine(slopes, -1, 1, slopes, false);
        }
        kernels.affine(logits, softcap, 0, logits, false);
    }

    /** The gradient of each row's loss, {@code [N]}. */
    private Tensor gradientOfLosses(Tensor dy) {
        Tensor each = Workspace.like(hidden, losses.targets().shape());
        if (losses.reduction() == Reduction.NONE) {
            each.copyFrom(dy.reshape(each.shape()));
        } else {
            each.kernels().elementwise().fill(each, dy.item() * factor);
        }
        Tensor weighted = losses.weighted(each);
        if (weighted != each) {
            each.release();
        }
        return weighted;
    }

    // ---- chunks ----

    /** Processes a range of rows, given their logits, which it may overwrite. */
    @FunctionalInterface
    private interface Body {
        void run(long from, long to, Tensor logits);
    }

    private void forEachChunk(Body body) {
        long size = chunkSize();
        long rows = hidden.shape().get(0);
        Tensor buffer = logits();
        for (int i = 0; i < counts.length; i++) {
            long from = i * size;
            long to = Math.min(rows, from + size);
            if (counts[i]) {
                Tensor logits = buffer.slice(0, to - from);
                GemmKernels gemm = kernels().gemm();
                if (bias == null) {
                    gemm.matmul(hidden.slice(from, to), false, weight, true, logits, false);
                } else {
                    gemm.matmul(hidden.slice(from, to), false, weight, true, new Epilogue(bias, null), logits);
                }
                body.run(from, to, logits);
            }
        }
        buffer.release();
    }

    /** An empty tensor for the logits of a chunk. */
    private Tensor logits() {
        return Tensor.empty(
                hidden.device(),
                softcap == 0 ? hidden.dtype() : hidden.dtype().computed(),
                Shape.of(
                        Math.min(chunkSize(), hidden.shape().get(0)),
                        weight.shape().get(0)),
                MemoryCategory.WORKSPACE);
    }

    private long chunkSize() {
        return chunk > 0
                ? chunk
                : defaultChunk(
                        hidden.shape().get(0),
                        hidden.shape().get(1),
                        weight.shape().get(0));
    }

    /** Also checks the targets: the kernel, which sees only a chunk, would report the wrong row. */
    private boolean[] chunksThatCount() {
        int[] targets = losses.targets().toInts();
        long classes = weight.shape().get(0);
        long size = chunkSize();
        boolean[] counts = new boolean[Math.toIntExact(Math.ceilDiv(targets.length, size))];
        for (int row = 0; row < targets.length; row++) {
            if (targets[row] == losses.ignoreIndex()) {
                continue;
            }
            if (targets[row] < 0 || targets[row] >= classes) {
                throw new IllegalArgumentException("linearCrossEntropy: the target " + targets[row] + " of row " + row
                        + " is neither one of " + classes + " classes nor the ignored " + losses.ignoreIndex()
                        + "; does the tokenizer belong to this model (vocab_size)?");
            }
            counts[(int) (row / size)] = true;
        }
        return counts;
    }

    private Tensor targets(long from, long to) {
        return losses.targets().slice(from, to);
    }

    private Kernels kernels() {
        return hidden.kernels();
    }
}
