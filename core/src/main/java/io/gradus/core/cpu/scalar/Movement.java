package io.gradus.core.cpu.scalar;

import io.gradus.core.Shape;
import io.gradus.core.Tensor;
import io.gradus.core.cpu.common.CpuStorage;
import io.gradus.core.cpu.common.StridedView;
import io.gradus.core.cpu.common.Workers;
import io.gradus.core.kernel.MovementKernels;
import java.lang.foreign.MemorySegment;

/** Moves elements: each kernel traverses one tensor in the order of another ({@link StridedView}). */
public final class Movement implements MovementKernels {
    private final Workers workers;

    public Movement(Workers workers) {
        this.workers = workers;
    }

    @Override
    public void permute(Tensor x, int[] order, Tensor out, boolean accumulate) {
        long[] strides = x.shape().strides();
        long[] reordered = new long[order.length];
        for (int i = 0; i < order.length; i++) {
            reordered[i] = strides[order[i]];
        }
        read(x, new StridedView(0, out.shape().toArray(), reordered), out, accumulate);
    }

    @Override
    public void slice(Tensor x, int axis, long start, Tensor out, boolean accumulate) {
        read(x, part(out.shape(), x.shape(), axis, start), out, accumulate);
    }

    private void read(Tensor x, StridedView view, Tensor out, boolean accumulate) {
        MemorySegment source = CpuStorage.of(x);
        MemorySegment target = CpuStorage.of(out);
        Chunks.elements(workers, out.size(), (scratch, from, n) -> {
            float[] values = scratch.floats(0, n);
            view.load(source, from, values, n);
            Chunks.write(scratch, values, target, from, n, accumulate);
        });
    }

    @Override
    public void place(Tensor x, int axis, long start, Tensor out, boolean accumulate) {
        StridedView view = part(x.shape(), out.shape(), axis, start);
        MemorySegment source = CpuStorage.of(x);
        MemorySegment target = CpuStorage.of(out);
        Chunks.elements(workers, x.size(), (scratch, from, n) -> {
            float[] values = scratch.floats(0, n);
            CpuStorage.load(source, from, values, n);
            if (accumulate) {
                float[] old = scratch.floats(1, n);
                view.load(target, from, old, n);
                FloatMath.add(values, old, n);
            }
            view.store(values, target, from, n);
        });
    }

    /** The part of {@code whole} that begins at {@code start} along an axis and has the shape {@code part}. */
    private static StridedView part(Shape part, Shape whole, int axis, long start) {
        long[] strides = whole.strides();
        return new StridedView(start * strides[whole.axis(axis)], part.toArray(), strides);
    }

    @Override
    public void gather(Tensor x, int axis, Tensor index, Tensor out) {
        Indexed elements = new Indexed(x.shape(), axis, index);
        MemorySegment source = CpuStorage.of(x);
        MemorySegment target = CpuStorage.of(out);
        Chunks.elements(workers, out.size(), (scratch, from, n) -> {
            float[] values = scratch.floats(0, n);
            elements.visit(from, n, (at, place) -> values[at] = CpuStorage.get(source, place));
            CpuStorage.store(values, target, from, n);
        });
    }

    /** Parallel over the axes before the indexed one, so that threads do not write to the same element. */
    @Override
    public void gatherBackward(Tensor index, int axis, Tensor dy, Tensor dx, boolean accumulate) {
        Indexed elements = new Indexed(dx.shape(), axis, index);
        if (!accumulate) {
            dx.kernels().elementwise().fill(dx, 0);
        }
        MemorySegment outer = CpuStorage.of(dy);
        MemorySegment target = CpuStorage.of(dx);
        long parts = index.shape().sub(0, index.shape().axis(axis)).size();
        long each = parts == 0 ? 0 : index.size() / parts;
        Chunks.rows(workers, parts, each, (scratch, part) -> {
            for (long done = 0; done < each; done += Chunks.SIZE) {
                int n = (int) Math.min(Chunks.SIZE, each - done);
                long from = part * each + done;
                elements.visit(
                        from,
                        n,
                        (at, place) -> CpuStorage.set(
                                target, place, CpuStorage.get(target, place) + CpuStorage.get(outer, from + at)));
            }
        });
    }

    /** The elements of a tensor selected by an index along one axis. The constructor checks the whole index. */
    private static final class Indexed {
        private final StridedView view;
        private final MemorySegment index;
        private final long stride;

        Indexed(Shape shape, int axis, Tensor index) {
            int resolved = shape.axis(axis);
            long[] strides = shape.strides();
            this.stride = strides[resolved];
            this.index = CpuStorage.of(index);
            long bad = Chunks.firstOutside(this.index, index.size(), shape.get(resolved));
            if (bad >= 0) {
                throw MovementKernels.badIndex(CpuStorage.getInt(this.index, bad), axis, shape);
            }
            strides[resolved] = 0;
            this.view = new StridedView(0, index.shape().toArray(), strides);
        }

        @FunctionalInterface
        interface Visitor {
            /**
             * @param at the number of positions before it
             * @param place the offset of the element in the tensor
             */
            void visit(int at, long place);
        }

        void visit(long from, int count, Visitor visitor) {
            long step = view.innerStride();
            view.runs(from, count, (source, at, run) -> {
                for (int i = 0; i < run; i++) {
                    long number = CpuStorage.getInt(index, from + at + i);
                    visitor.visit(at + i, source + i * step + number * stride);
                }
            });
        }
    }
}
