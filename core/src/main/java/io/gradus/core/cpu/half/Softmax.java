package io.gradus.core.cpu.half;

import static io.gradus.core.cpu.half.Blocks.Operand.in;
import static io.gradus.core.cpu.half.Blocks.Operand.out;

import io.gradus.core.Tensor;
import io.gradus.core.kernel.SoftmaxKernels;

/** Softmax over the last axis: a block holds whole rows. */
record Softmax(SoftmaxKernels kernels, SoftmaxKernels ofBlock, Blocks blocks) implements SoftmaxKernels {

    @Override
    public void softmax(Tensor x, Tensor y) {
        if (Blocks.anyHalf(x, y)) {
            blocks.forEach(x.shape().rows(), (_, b) -> ofBlock.softmax(b.get(0), b.get(1)), in(x), out(y));
        } else {
            kernels.softmax(x, y);
        }
    }

    @Override
    public void softmaxBackward(Tensor y, Tensor dy, Tensor dx, boolean accumulate) {
        if (Blocks.anyHalf(y, dy, dx)) {
            blocks.forEach(
                    y.shape().rows(),
                    (_, b) -> ofBlock.softmaxBackward(b.get(0), b.get(1), b.get(2), accumulate),
                    in(y),
                    in(dy),
                    out(dx, accumulate));
        } else {
            kernels.softmaxBackward(y, dy, dx, accumulate);
        }
    }

    @Override
    public void logSoftmax(Tensor x, Tensor y) {
        if (Blocks.anyHalf(x, y)) {
            blocks.forEach(x.shape().rows(), (_, b) -> ofBlock.logSoftmax(b.get(0), b.get(1)), in(x), out(y));
        } else {
            kernels.logSoftmax(x, y);
        }
    }

    @Override
    public void logSoftmaxBackward(Tensor y, Tensor dy, Tensor dx, boolean accumulate) {
        if (Blocks.anyHalf(y, dy, dx)) {
            blocks.forEach(
                    y.shape().rows(),
                    (_, b) -> ofBlock.logSoftmaxBackward(b.get(0), b.get(1), b.get(2), accumulate),
                    in(y),
                    in(dy),
                    out(dx, accumulate));
        } else {
            kernels.logSoftmaxBackward(y, dy, dx, accumulate);
        }
    }
}
