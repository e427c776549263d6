package io.gradus.core.cpu.half;

import static io.gradus.core.cpu.half.Blocks.Operand.in;
import static io.gradus.core.cpu.half.Blocks.Operand.out;

import io.gradus.core.Tensor;
import io.gradus.core.kernel.ReductionKernels;
import java.util.List;

/** Sums and maxima. The kernels convert what they read; a result of 16 bits is computed in F32 first. */
record Reduction(ReductionKernels kernels) implements ReductionKernels {

    @Override
    public void sumTo(Tensor x, Tensor out, boolean accumulate) {
        if (Blocks.anyHalf(out)) {
            Blocks.whole((_, b) -> kernels.sumTo(x, b.get(0), accumulate), out(out, accumulate));
        } else {
            kernels.sumTo(x, out, accumulate);
        }
    }

    @Override
    public void maxTo(Tensor x, Tensor out) {
        if (Blocks.anyHalf(out)) {
            Blocks.whole((_, b) -> kernels.maxTo(x, b.get(0)), out(out));
        } else {
            kernels.maxTo(x, out);
        }
    }

    @Override
    public void maxBackward(Tensor x, Tensor y, Tensor dy, Tensor dx, boolean accumulate) {
        if (Blocks.anyHalf(x, y, dy, dx)) {
            Blocks.whole(
                    (_, b) -> kernels.maxBackward(b.get(0), b.get(1), b.get(2), b.get(3), accumulate),
                    in(x),
                    in(y),
                    in(dy),
                    out(dx, accumulate));
        } else {
            kernels.maxBackward(x, y, dy, dx, accumulate);
        }
    }

    @Override
    public double sumOfSquares(List<Tensor> tensors) {
        return kernels.sumOfSquares(tensors);
    }

    @Override
    public double[] squaresByChunk(Tensor x) {
        return kernels.squaresByChunk(x);
    }
}
