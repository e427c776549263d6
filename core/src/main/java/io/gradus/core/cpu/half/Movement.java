package io.gradus.core.cpu.half;

import static io.gradus.core.cpu.half.Blocks.Operand.in;
import static io.gradus.core.cpu.half.Blocks.Operand.out;

import io.gradus.core.DType;
import io.gradus.core.Shape;
import io.gradus.core.Tensor;
import io.gradus.core.kernel.MovementKernels;
import org.jspecify.annotations.Nullable;

/**
 * Moves elements. Where whole pairs of 16 bits move and nothing is added, a pair moves as if it were one F32. Otherwise elements
 * are converted to F32 and back.
 */
record Movement(MovementKernels kernels, MovementKernels ofBlock, Blocks blocks) implements MovementKernels {

    @Override
    public void permute(Tensor x, int[] order, Tensor out, boolean accumulate) {
        Tensor from = pairs(x, out, accumulate);
        Tensor to = pairs(out, x, accumulate);
        if (!Blocks.anyHalf(x, out)) {
            kernels.permute(x, order, out, accumulate);
        } else if (from != null && to != null && order[order.length - 1] == order.length - 1) {
            kernels.permute(from, order, to, false);
        } else {
            Blocks.whole((_, b) -> kernels.permute(b.get(0), order, b.get(1), accumulate), in(x), out(out, accumulate));
        }
    }

    @Override
    public void slice(Tensor x, int axis, long start, Tensor out, boolean accumulate) {
        part(kernels::slice, ofBlock::slice, x, axis, start, out, accumulate, accumulate);
    }

    @Override
    public void place(Tensor x, int axis, long start, Tensor out, boolean accumulate) {
        part(kernels::place, ofBlock::place, x, axis, start, out, accumulate, true); // the rest of the result stays
    }

    /** {@link MovementKernels#slice} or {@link MovementKernels#place}. */
    @FunctionalInterface
    private interface Move {
        void run(Tensor x, int axis, long start, Tensor out, boolean accumulate);
    }

    /** @param keeps whether the result has elements that remain as they are, or are added to */
    private void part(
            Move move, Move ofBlock, Tensor x, int axis, long start, Tensor out, boolean accumulate, boolean keeps) {
        if (!Blocks.anyHalf(x, out)) {
            move.run(x, axis, start, out, accumulate);
            return;
        }
        int along = x.shape().axis(axis);
        Tensor from = pairs(x, out, accumulate);
        Tensor to = pairs(out, x, accumulate);
        boolean last = along == x.shape().rank() - 1;
        if (from != null && to != null && (!last || start % 2 == 0)) {
            move.run(from, along, last ? start / 2 : start, to, false);
            return;
        }
        long outer = x.shape().sub(0, along).size();
        blocks.forEach(
                outer,
                (_, b) -> ofBlock.run(
                        lines(b.get(0), x.shape(), along), 1, start, lines(b.get(1), out.shape(), along), accumulate),
                in(x),
                out(out, keeps));
    }

    @Override
    public void gather(Tensor x, int axis, Tensor index, Tensor out) {
        if (Blocks.anyHalf(x, out)) {
            Blocks.whole((_, b) -> kernels.gather(b.get(0), axis, index, b.get(1)), in(x), out(out));
        } else {
            kernels.gather(x, axis, index, out);
        }
    }

    @Override
    public void gatherBackward(Tensor index, int axis, Tensor dy, Tensor dx, boolean accumulate) {
        if (Blocks.anyHalf(dy, dx)) {
            Blocks.whole(
                    (_, b) -> kernels.gatherBackward(index, axis, b.get(0), b.get(1), accumulate),
                    in(dy),
                    out(dx, accumulate));
        } else {
            kernels.gatherBackward(index, axis, dy, dx, accumulate);
        }
    }

    /** A block as {@code [rows, the axis, the axes after it]}. */
    private static Tensor lines(Tensor block, Shape whole, int axis) {
        return block.reshape(
                block.shape().get(0),
                whole.get(axis),
                whole.sub(axis + 1, whole.rank()).size());
    }

    /** Pairs of elements along the last axis as F32, or null if there are none or the operation computes. */
    private static @Nullable Tensor pairs(Tensor x, Tensor other, boolean accumulate) {
        Shape shape = x.shape();
        boolean moves = !accumulate && x.dtype().isHalf() && x.dtype() == other.dtype();
        if (!moves || shape.rank() == 0 || shape.last() % 2 != 0 || x.offset() % 2 != 0) {
            return null;
        }
        return Tensor.in(x.storage(), x.offset() / 2, x.device(), DType.F32, shape.with(-1, shape.last() / 2));
    }
}
