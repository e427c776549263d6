package io.gradus.core.cpu.half;

import static io.gradus.core.cpu.half.Blocks.Operand.in;
import static io.gradus.core.cpu.half.Blocks.Operand.out;

import io.gradus.core.RopeLayout;
import io.gradus.core.Tensor;
import io.gradus.core.kernel.RotaryKernels;

/** Rotary position embedding: a row is a token. */
record Rotary(RotaryKernels kernels, RotaryKernels ofBlock, Blocks blocks) implements RotaryKernels {

    @Override
    public void rotate(
            Tensor x,
            Tensor cos,
            Tensor sin,
            Tensor positions,
            RopeLayout layout,
            boolean inverse,
            Tensor out,
            boolean accumulate) {
        if (!Blocks.anyHalf(x, out)) {
            kernels.rotate(x, cos, sin, positions, layout, inverse, out, accumulate);
            return;
        }
        long heads = x.shape().get(2);
        long width = x.shape().get(3);
        blocks.forEach(
                positions.size(),
                (_, b) -> ofBlock.rotate(
                        b.get(0).reshape(1, -1, heads, width),
                        cos,
                        sin,
                        b.get(2),
                        layout,
                        inverse,
                        b.get(1).reshape(1, -1, heads, width),
                        accumulate),
                in(x),
                out(out, accumulate),
                in(positions));
    }
}
