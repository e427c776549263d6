package io.gradus.core.cpu.half;

import static io.gradus.core.cpu.half.Blocks.Operand.in;
import static io.gradus.core.cpu.half.Blocks.Operand.out;

import io.gradus.core.GradientBuffer;
import io.gradus.core.Shape;
import io.gradus.core.Tensor;
import io.gradus.core.kernel.ElementwiseKernels;
import io.gradus.core.kernel.NormalizationKernels;
import org.jspecify.annotations.Nullable;

/**
 * Normalization of rows: a block holds whole rows. The gradients of the weights are sums over all rows. They are summed in F32 over
 * the blocks of a part, and then over the parts in order; the parts depend only on sizes.
 */
record Normalization(
        NormalizationKernels kernels, NormalizationKernels ofBlock, ElementwiseKernels elementwise, Blocks blocks)
        implements NormalizationKernels {
    private static final long PARTS = 32;

    @Override
    public void layerNorm(
            Tensor x, Tensor weight, @Nullable Tensor bias, double eps, Tensor y, Tensor mean, Tensor rstd) {
        if (!Blocks.anyHalf(x, weight, bias, y)) {
            kernels.layerNorm(x, weight, bias, eps, y, mean, rstd);
            return;
        }
        Tensor w = Blocks.whole(weight, 0);
        Tensor shift = bias == null ? null : Blocks.whole(bias, 1);
        blocks.forEach(
                x.shape().rows(),
                (_, b) -> ofBlock.layerNorm(b.get(0), w, shift, eps, b.get(1), b.get(2), b.get(3)),
                in(x),
                out(y),
                out(mean),
                out(rstd));
    }

    @Override
    public void rmsNorm(Tensor x, Tensor weight, double eps, Tensor y, Tensor rstd) {
        if (!Blocks.anyHalf(x, weight, y)) {
            kernels.rmsNorm(x, weight, eps, y, rstd);
            return;
        }
        Tensor w = Blocks.whole(weight, 0);
        blocks.forEach(
                x.shape().rows(),
                (_, b) -> ofBlock.rmsNorm(b.get(0), w, eps, b.get(1), b.get(2)),
                in(x),
                out(y),
                out(rstd));
    }

    @Override
    public void layerNormBackward(
            Tensor dy,
            Tensor x,
            Tensor weight,
            Tensor mean,
            Tensor rstd,
            GradientBuffer dx,
            GradientBuffer dweight,
            @Nullable GradientBuffer dbias) {
        Tensor biasGradient = dbias == null ? null : dbias.gradient();
        if (!Blocks.anyHalf(dy, x, weight, dx.gradient(), dweight.gradient(), biasGradient)) {
            kernels.layerNormBackward(dy, x, weight, mean, rstd, dx, dweight, dbias);
            return;
        }
        Tensor w = Blocks.whole(weight, 0);
        Sums sums = Sums.of(x, dbias == null ? 1 : 2);
        blocks.forEach(
                x.shape().rows(),
                sums.rows,
                (from, b) -> ofBlock.layerNormBackward(
                        b.get(0),
                        b.get(1),
                        w,
                        b.get(3),
                        b.get(4),
                        new GradientBuffer(b.get(2), dx.accumulate()),
                        sums.buffer(from, 0),
                        dbias == null ? null : sums.buffer(from, 1)),
                in(dy),
                in(x),
                out(dx.gradient(), dx.accumulate()),
                in(mean),
                in(rstd));
        add(sums, 0, dweight);
        if (dbias != null) {
            add(sums, 1, dbias);
        }
    }

    @Override
    public void rmsNormBackward(
            Tensor dy, Tensor x, Tensor weight, Tensor rstd, GradientBuffer dx, GradientBuffer dweight) {
        if (!Blocks.anyHalf(dy, x, weight, dx.gradient(), dweight.gradient())) {
            kernels.rmsNormBackward(dy, x, weight, rstd, dx, dweight);
            return;
        }
        Tensor w = Blocks.whole(weight, 0);
        Sums sums = Sums.of(x, 1);
        blocks.forEach(
                x.shape().rows(),
                sums.rows,
                (from, b) -> ofBlock.rmsNormBackward(
                        b.get(0),
                        b.get(1),
                        w,
                        b.get(3),
                        new GradientBuffer(b.get(2), dx.accumulate()),
                        sums.buffer(from, 0)),
                in(dy),
                in(x),
                out(dx.gradient(), dx.accumulate()),
                in(rstd));
        add(sums, 0, dweight);
    }

    /** Adds the sums of all parts to a gradient. */
    private void add(Sums sums, int index, GradientBuffer gradient) {
        Tensor total = sums.tensor.slice(0, 1).reshape(-1, sums.width).slice(index, index + 1);
        for (long part = 1; part < sums.tensor.shape().get(0); part++) {
            Tensor next =
                    sums.tensor.slice(part, part + 1).reshape(-1, sums.width).slice(index, index + 1);
            elementwise.affine(next, 1, 0, total, true);
        }
        Tensor result = gradient.gradient().reshape(total.shape());
        elementwise.affine(total, 1, 0, result, gradient.accumulate());
    }

    /**
     * Sums over the rows of each part.
     *
     * @param tensor F32 {@code [parts, sums, D]}
     * @param rows in a part
     * @param width D
     */
    private record Sums(Tensor tensor, long rows, long width) {

        static Sums of(Tensor x, int sums) {
            long count = x.shape().rows();
            long width = x.shape().last();
            long inBlock = Math.max(1, Blocks.ELEMENTS / Math.max(1, width));
            long rows = Math.max(1, Math.ceilDiv(Math.ceilDiv(count, inBlock), PARTS)) * inBlock;
            Shape shape = Shape.of(Math.max(1, Math.ceilDiv(count, rows)), sums, width);
            Tensor tensor = WideMemory.ofThread().tensor(WideMemory.WHOLE + 2, x.device(), shape);
            io.gradus.core.cpu.common.CpuStorage.of(tensor).fill((byte) 0);
            return new Sums(tensor, rows, width);
        }

        GradientBuffer buffer(long row, int index) {
            long part = row / rows;
            return new GradientBuffer(
                    tensor.slice(part, part + 1).reshape(-1, width).slice(index, index + 1), true);
        }
    }
}
