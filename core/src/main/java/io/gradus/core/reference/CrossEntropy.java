package io.gradus.core.reference;

import io.gradus.core.Tensor;
import io.gradus.core.kernel.CrossEntropyKernels;
import org.jspecify.annotations.Nullable;

/** One row of logits at a time. */
public final class CrossEntropy implements CrossEntropyKernels {

    @Override
    public void forward(Tensor logits, Tensor targets, int ignoreIndex, Tensor loss, Tensor logSumExp) {
        Elements from = Elements.of(logits);
        Elements to = Elements.of(loss);
        Elements sums = Elements.of(logSumExp);
        long classes = logits.shape().get(1);
        for (long row = 0; row < logits.shape().get(0); row++) {
            int target = target(targets, row, ignoreIndex, classes);
            double logSum = Softmax.logSumExp(from, row * classes, classes);
            sums.set(row, logSum);
            to.set(row, target == ignoreIndex ? 0 : logSum - from.get(row * classes + target));
        }
    }

    @Override
    public void backward(
            Tensor logits,
            Tensor targets,
            int ignoreIndex,
            Tensor logSumExp,
            Tensor dloss,
            Tensor dlogits,
            boolean accumulate) {
        Elements input = Elements.of(logits);
        Elements sums = Elements.of(logSumExp);
        Elements from = Elements.of(dloss);
        Elements to = Elements.of(dlogits);
        long classes = logits.shape().get(1);
        for (long row = 0; row < logits.shape().get(0); row++) {
            int target = target(targets, row, ignoreIndex, classes);
            for (long j = 0; j < classes; j++) {
                long i = row * classes + j;
                double softmax = Math.exp(input.get(i) - sums.get(row));
                double gradient = target == ignoreIndex ? 0 : from.get(row) * (softmax - (j == target ? 1 : 0));
                to.put(i, gradient, accumulate);
            }
        }
    }

    @Override
    public void forwardBackward(
            Tensor logits,
            Tensor targets,
            int ignoreIndex,
            @Nullable Tensor weights,
            double scale,
            Tensor loss,
            Tensor dlogits) {
        Elements input = Elements.of(logits);
        Elements losses = Elements.of(loss);
        Elements to = Elements.of(dlogits);
        long classes = logits.shape().get(1);
        for (long row = 0; row < logits.shape().get(0); row++) {
            target(targets, row, ignoreIndex, classes);
        }
        for (long row = 0; row < logits.shape().get(0); row++) {
            int target = target(targets, row, ignoreIndex, classes);
            double logSum = Softmax.logSumExp(input, row * classes, classes);
            double factor = scale
                    * (weights == null || target == ignoreIndex
                            ? 1
                            : Elements.of(weights).get(row));
            losses.set(row, target == ignoreIndex ? 0 : logSum - input.get(row * classes + target));
            for (long j = 0; j < classes; j++) {
                long i = row * classes + j;
                double softmax = Math.exp(input.get(i) - logSum);
                to.set(i, target == ignoreIndex ? 0 : factor * (softmax - (j == target ? 1 : 0)));
            }
        }
    }

    @Override
    public long count(Tensor targets, int ignoreIndex) {
        Elements elements = Elements.of(targets);
        long count = 0;
        for (long i = 0; i < targets.size(); i++) {
            count += elements.getInt(i) == ignoreIndex ? 0 : 1;
        }
        return count;
    }

    private static int target(Tensor targets, long row, int ignoreIndex, long classes) {
        int target = Elements.of(targets).getInt(row);
        if (target != ignoreIndex && (target < 0 || target >= classes)) {
            throw new IllegalArgumentException("crossEntropy: row " + row + " has the target " + target
                    + ", which is neither one of " + classes + " classes nor the ignored index " + ignoreIndex
                    + "; check that the tokenizer belongs to this model (vocab_size)");
        }
        return target;
    }
}
