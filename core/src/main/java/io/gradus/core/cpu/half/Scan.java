package io.gradus.core.cpu.half;

import static io.gradus.core.cpu.half.Blocks.Operand.in;
import static io.gradus.core.cpu.half.Blocks.Operand.out;

import io.gradus.core.Tensor;
import io.gradus.core.kernel.ScanKernels;

/** Cumulative sums and largest elements along an axis. */
record Scan(ScanKernels kernels) implements ScanKernels {

    @Override
    public void cumsum(Tensor x, int axis, boolean reverse, Tensor out, boolean accumulate) {
        if (Blocks.anyHalf(x, out)) {
            Blocks.whole(
                    (_, b) -> kernels.cumsum(b.get(0), axis, reverse, b.get(1), accumulate),
                    in(x),
                    out(out, accumulate));
        } else {
            kernels.cumsum(x, axis, reverse, out, accumulate);
        }
    }

    @Override
    public void topk(Tensor x, int axis, Tensor values, Tensor indices) {
        if (Blocks.anyHalf(x, values)) {
            Blocks.whole((_, b) -> kernels.topk(b.get(0), axis, b.get(1), indices), in(x), out(values));
        } else {
            kernels.topk(x, axis, values, indices);
        }
    }
}
