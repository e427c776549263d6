package io.gradus.autograd.op;

import io.gradus.core.Tensor;
import io.gradus.core.kernel.ElementwiseKernels.Binary;
import java.util.Arrays;

/**
 * Label smoothing of a cross-entropy (Szegedy et al. 2016, section 7): the target distribution is
 * {@code (1 − ε)·onehot(t) + ε/V} over V classes, as in PyTorch. The loss of a row of logits x is
 *
 * <pre>
 *   l = −Σⱼ ((1 − ε)[j = t] + ε/V)·ln pⱼ = ln Σⱼ e^{xⱼ} − (1 − ε)·xₜ − ε·mean(x)
 * </pre>
 *
 * that is, the loss without smoothing plus {@code ε(xₜ − mean(x))}. So the gradient is the one without smoothing plus
 * {@code dl·ε([j = t] − 1/V)}.
 *
 * @param targets I32 {@code [N, 1]}, each in 0 … V−1; any class for ignored rows
 * @param epsilons {@code [N, 1]}, ε, and 0 for ignored rows
 */
record LabelSmoothing(Tensor targets, Tensor epsilons) {

    /**
     * Smoothing for N rows.
     *
     * @param like the logits
     * @param targets I32 {@code [N]}
     */
    static LabelSmoothing of(double epsilon, Tensor like, Tensor targets, int ignoreIndex) {
        int[] classes = targets.toInts();
        double[] epsilons = Arrays.stream(classes)
                .mapToDouble(target -> target == ignoreIndex ? 0 : epsilon)
                .toArray();
        Arrays.setAll(classes, i -> classes[i] == ignoreIndex ? 0 : classes[i]);
        Tensor column = Tensor.of(like.device(), epsilons, classes.length, 1);
        return new LabelSmoothing(
                Tensor.of(like.device(), classes, classes.length, 1),
                column.to(like.dtype().computed()));
    }

    /** Smoothing for some of the rows. */
    LabelSmoothing slice(long from, long to) {
        return new LabelSmoothing(targets.slice(from, to), epsilons.slice(from, to));
    }

    /**
     * {@code losses += ε(xₜ − mean(x))}.
     *
     * @param losses {@code [N]}
     * @param logits {@code [N, V]}
     */
    void addToLosses(Tensor losses, Tensor logits) {
        Tensor difference = Workspace.like(logits, targets.shape());
        Tensor sum = Workspace.like(logits, targets.shape());
        logits.kernels().movement().gather(logits, 1, targets, difference);
        logits.kernels().reduction().sumTo(logits, sum, false);
        logits.kernels().elementwise().affine(sum, -1.0 / logits.shape().get(1), 0, difference, true);
        Tensor column = losses.reshape(targets.shape());
        logits.kernels().elementwise().binary(Binary.MULTIPLY, difference, epsilons, column, true);
        difference.release();
        sum.release();
    }

    /**
     * {@code dlogits += dl·ε(onehot(t) − 1/V)}.
     *
     * @param dlosses {@code [N]}
     * @param dlogits {@code [N, V]}
     */
    void addToGradient(Tensor dlosses, Tensor dlogits) {
        Tensor each = Workspace.like(dlogits, targets.shape());
        Tensor column = dlosses.reshape(targets.shape());
        dlogits.kernels().elementwise().binary(Binary.MULTIPLY, epsilons, column, each, false);
        dlogits.kernels().movement().gatherBackward(targets, 1, each, dlogits, true);
        dlogits.kernels().elementwise().affine(each, -1.0 / dlogits.shape().get(1), 0, dlogits, true);
        each.release();
    }
}
