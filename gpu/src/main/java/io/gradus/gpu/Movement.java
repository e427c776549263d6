package io.gradus.gpu;

import static io.gradus.gpu.runtime.Launcher.flag;
import static io.gradus.gpu.runtime.Launcher.floats;
import static io.gradus.gpu.runtime.Launcher.ints;

import io.gradus.core.Shape;
import io.gradus.core.Tensor;
import io.gradus.core.kernel.MovementKernels;
import io.gradus.gpu.runtime.Kernel;
import io.gradus.gpu.runtime.Launcher;
import uk.ac.manchester.tornado.api.KernelContext;
import uk.ac.manchester.tornado.api.types.arrays.FloatArray;
import uk.ac.manchester.tornado.api.types.arrays.IntArray;

/** {@link MovementKernels}. The smaller tensor, in row-major order, is a {@link StridedView} of the larger one. */
final class Movement implements MovementKernels {
    private static final Kernel READ = Kernel.of("strided_read", Movement::readKernel);
    private static final Kernel WRITE = Kernel.of("strided_write", Movement::writeKernel);
    private static final Kernel GATHER = Kernel.of("gather", Movement::gatherKernel);
    private static final Kernel GATHER_BACKWARD = Kernel.of("gather_backward", Movement::gatherBackwardKernel);

    // The descriptor: where the operands begin, then the integers of the launch.
    private static final int DX = 0;
    private static final int X = 0;
    private static final int DY = 1;
    private static final int OUT = 1;
    private static final int INDEX = 2;
    private static final int N = Kernel.INTS;
    private static final int ACCUMULATE = Kernel.INTS + 1;
    private static final int LENGTH = Kernel.INTS + 1;
    private static final int START = Kernel.INTS + 2;
    private static final int STRIDE = Kernel.INTS + 2;
    private static final int INDEX_STRIDE = Kernel.INTS + 3;
    private static final int VIEWS = Kernel.INTS + 4;

    private final Launcher launcher;

    Movement(Launcher launcher) {
        this.launcher = launcher;
    }

    @Override
    public void permute(Tensor x, int[] order, Tensor out, boolean accumulate) {
        long[] strides = x.shape().strides();
        long[] reordered = new long[order.length];
        for (int i = 0; i < order.length; i++) {
            reordered[i] = strides[order[i]];
        }
        StridedView view = new StridedView(out.shape().toArray(), reordered);
        launcher.run(
                READ,
                out.size(),
                StridedView.describe(ints(out.size(), flag(accumulate), 0, 0), view),
                floats(),
                x,
                out);
    }

    @Override
    public void slice(Tensor x, int axis, long start, Tensor out, boolean accumulate) {
        launcher.run(READ, out.size(), part(out.shape(), x.shape(), axis, start, accumulate), floats(), x, out);
    }

    @Override
    public void place(Tensor x, int axis, long start, Tensor out, boolean accumulate) {
        launcher.run(WRITE, x.size(), part(x.shape(), out.shape(), axis, start, accumulate), floats(), x, out);
    }

    /**
     * The integers of a launch for a part of a tensor: its size, the accumulate flag, the offset of the part, and the
     * part as a view of the whole tensor.
     */
    private static int[] part(Shape part, Shape whole, int axis, long start, boolean accumulate) {
        long[] strides = whole.strides();
        return StridedView.describe(
                ints(part.size(), flag(accumulate), start * strides[whole.axis(axis)], 0),
                new StridedView(part.toArray(), strides));
    }

    private static void readKernel(KernelContext c, IntArray d, FloatArray s, FloatArray x, FloatArray out) {
        int i = c.globalIdx;
        if (i < d.get(N)) {
            float value = x.get(d.get(X) + d.get(START) + StridedView.source(d, VIEWS, i));
            Kernel.write(out, d.get(OUT) + i, value, d.get(ACCUMULATE));
        }
    }

    private static void writeKernel(KernelContext c, IntArray d, FloatArray s, FloatArray x, FloatArray out) {
        int i = c.globalIdx;
        if (i < d.get(N)) {
            int to = d.get(OUT) + d.get(START) + StridedView.source(d, VIEWS, i);
            Kernel.write(out, to, x.get(d.get(X) + i), d.get(ACCUMULATE));
        }
    }

    @Override
    public void gather(Tensor x, int axis, Tensor index, Tensor out) {
        checkIndex(index, axis, x.shape());
        long[] strides = x.shape().strides();
        int resolved = x.shape().axis(axis);
        long stride = strides[resolved];
        strides[resolved] = 0;
        int[] ints = StridedView.describe(
                ints(out.size(), 0, stride, 0), new StridedView(index.shape().toArray(), strides));
        launcher.run(GATHER, out.size(), ints, floats(), x, out, index);
    }

    private static void gatherKernel(
            KernelContext c, IntArray d, FloatArray s, FloatArray x, FloatArray out, IntArray index) {
        int i = c.globalIdx;
        if (i < d.get(N)) {
            int chosen = index.get(d.get(INDEX) + i);
            out.set(d.get(OUT) + i, x.get(d.get(X) + StridedView.source(d, VIEWS, i) + chosen * d.get(STRIDE)));
        }
    }

    /**
     * Each work-item adds along a whole line of the axis, so equal indices are added in order and no two items write
     * the same element.
     */
    @Override
    public void gatherBackward(Tensor index, int axis, Tensor dy, Tensor dx, boolean accumulate) {
        checkIndex(index, axis, dx.shape());
        if (!accumulate) {
            dx.kernels().elementwise().fill(dx, 0);
        }
        int resolved = index.shape().axis(axis);
        Shape lines = index.shape().with(resolved, 1);
        long[] from = index.shape().strides();
        long[] to = dx.shape().strides();
        int[] ints = StridedView.describe(
                ints(lines.size(), index.shape().get(resolved), to[resolved], from[resolved]),
                new StridedView(lines.toArray(), from),
                new StridedView(lines.toArray(), to));
        long items = index.size() == 0 ? 0 : lines.size();
        launcher.run(GATHER_BACKWARD, items, ints, floats(), dx, dy, index);
    }

    private static void gatherBackwardKernel(
            KernelContext c, IntArray d, FloatArray s, FloatArray dx, FloatArray dy, IntArray index) {
        int i = c.globalIdx;
        if (i < d.get(N)) {
            int view = VIEWS;
            int from = StridedView.source(d, view, i);
            int to = d.get(DX) + StridedView.source(d, StridedView.next(d, view), i);
            for (int j = 0; j < d.get(LENGTH); j++) {
                int at = from + j * d.get(INDEX_STRIDE);
                int target = to + index.get(d.get(INDEX) + at) * d.get(STRIDE);
                dx.set(target, dx.get(target) + dy.get(d.get(DY) + at));
            }
        }
    }

    private static void checkIndex(Tensor index, int axis, Shape shape) {
        int[] numbers = Ids.of(index);
        int bad = Ids.firstOutside(numbers, shape.get(axis));
        if (bad >= 0) {
            throw MovementKernels.badIndex(numbers[bad], axis, shape);
        }
    }
}
