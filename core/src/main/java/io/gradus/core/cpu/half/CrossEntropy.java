package io.gradus.core.cpu.half;

import static io.gradus.core.cpu.half.Blocks.Operand.in;
import static io.gradus.core.cpu.half.Blocks.Operand.out;

import io.gradus.core.Tensor;
import io.gradus.core.cpu.common.Targets;
import io.gradus.core.kernel.CrossEntropyKernels;
import org.jspecify.annotations.Nullable;

/** The loss of rows of logits: a block holds whole rows. All targets are checked before, so that errors name the right row. */
record CrossEntropy(CrossEntropyKernels kernels, CrossEntropyKernels ofBlock, Blocks blocks)
        implements CrossEntropyKernels {

    @Override
    public void forward(Tensor logits, Tensor targets, int ignoreIndex, Tensor loss, Tensor logSumExp) {
        if (!Blocks.anyHalf(logits)) {
            kernels.forward(logits, targets, ignoreIndex, loss, logSumExp);
            return;
        }
        Targets _ = Targets.of(targets, ignoreIndex, logits.shape().last());
        blocks.forEach(
                targets.size(),
                (_, b) -> ofBlock.forward(b.get(0), b.get(1), ignoreIndex, b.get(2), b.get(3)),
                in(logits),
                in(targets),
                out(loss),
                out(logSumExp));
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
        if (!Blocks.anyHalf(logits, dlogits)) {
            kernels.backward(logits, targets, ignoreIndex, logSumExp, dloss, dlogits, accumulate);
            return;
        }
        Targets _ = Targets.of(targets, ignoreIndex, logits.shape().last());
        blocks.forEach(
                targets.size(),
                (_, b) -> ofBlock.backward(b.get(0), b.get(1), ignoreIndex, b.get(2), b.get(3), b.get(4), accumulate),
                in(logits),
                in(targets),
                in(logSumExp),
                in(dloss),
                out(dlogits, accumulate));
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
        if (!Blocks.anyHalf(logits, dlogits)) {
            kernels.forwardBackward(logits, targets, ignoreIndex, weights, scale, loss, dlogits);
            return;
        }
        Targets _ = Targets.of(targets, ignoreIndex, logits.shape().last());
        blocks.forEach(
                targets.size(),
                (_, b) -> ofBlock.forwardBackward(
                        b.get(0), b.get(1), ignoreIndex, weights == null ? null : b.get(4), scale, b.get(2), b.get(3)),
                in(logits),
                in(targets),
                out(loss),
                out(dlogits),
                in(weights == null ? targets : weights));
    }

    @Override
    public long count(Tensor targets, int ignoreIndex) {
        return kernels.count(targets, ignoreIndex);
    }
}
