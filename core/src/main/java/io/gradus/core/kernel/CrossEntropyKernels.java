package io.gradus.core.kernel;

import io.gradus.core.Tensor;
import org.jspecify.annotations.Nullable;

/** The negative log-likelihood of one target class per row of logits. */
public interface CrossEntropyKernels {

    /**
     * {@code loss[i] = ln Σ exp(logits[i]) − logits[i, target[i]]}, and 0 if the target is ignored.
     *
     * @param logits {@code [N, V]}
     * @param targets I32 {@code [N]}, each in 0 … V−1 or {@code ignoreIndex}
     * @param loss {@code [N]}, written
     * @param logSumExp {@code [N]}, written: {@code ln Σ exp(logits[i])} for the backward pass; undefined where the target
     *     is ignored
     * @throws IllegalArgumentException if a target is neither a class nor ignored; names the row and the target
     */
    void forward(Tensor logits, Tensor targets, int ignoreIndex, Tensor loss, Tensor logSumExp);

    /**
     * {@code dlogits[i] (+)= dloss[i]·(softmax(logits[i]) − onehot(target[i]))}, and 0 if the target is ignored.
     *
     * @param dlogits {@code [N, V]}; may be {@code logits} when not accumulating
     */
    void backward(
            Tensor logits,
            Tensor targets,
            int ignoreIndex,
            Tensor logSumExp,
            Tensor dloss,
            Tensor dlogits,
            boolean accumulate);

    /**
     * Both passes with one visit to each row, for losses whose weights are known in advance: {@code loss[i]} as in
     * {@link #forward}, and {@code dlogits[i] = scale·weights[i]·(softmax(logits[i]) − onehot(target[i]))}, 0 if the target
     * is ignored. The losses are neither weighted nor scaled.
     *
     * @param logits {@code [N, V]}
     * @param targets I32 {@code [N]}, each in 0 … V−1 or {@code ignoreIndex}
     * @param weights {@code [N]}, or null for 1; not read if the target is ignored
     * @param scale for instance 1 / the number of targets that are not ignored
     * @param loss {@code [N]}, written
     * @param dlogits {@code [N, V]}, written; may be {@code logits}
     * @throws IllegalArgumentException if a target is neither a class nor ignored; names the row and the target, and
     *     nothing is written
     */
    void forwardBackward(
            Tensor logits,
            Tensor targets,
            int ignoreIndex,
            @Nullable Tensor weights,
            double scale,
            Tensor loss,
            Tensor dlogits);

    /** The number of targets that are not ignored. */
    long count(Tensor targets, int ignoreIndex);
}
