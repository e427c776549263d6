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

/** {@link MovementKernels}. Elements of the smaller tensor, in their order, are a {@link StridedView} of the other. */
final class Movement implements MovementKernels {
    private static final Kernel READ = Kernel.of("strided_read", Movement::readKernel);
    private static final Kernel WRITE = Kernel.of("strided_write", Movement::writeKernel);
    private static final Kernel GATHER = Kernel.of("gather", Movement::gatherKernel);
    private static final Kernel GATHER_BACKWARD = Kernel.of("gather_backward", Movement::gatherBackwardKernel);

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
                READ, out.size(), StridedView.describe(ints(out.size(), flag(accumulate), 0), view), floats(), x, out);
    }

    @Override
    public void slice(Tensor x, int axis, long start, Tensor out, boolean accumulate) {
        launcher.run(READ, out.size(), part(out.shape(), x.shape(), axis, start, accumulate), floats(), x, out);
    }

    @Override
    public void place(Tensor x, int axis, long start, Tensor out, boolean accumulate) {
        launcher.run(WRITE, x.size(), part(x.shape(), out.shape(), axis, start, accumulate), floats(), x, out);
    }

    /** How many, whether to add, where the part begins in the whole, and a view of the whole that is the part. */
    private static int[] part(Shape part, Shape whole, int axis, long start, boolean accumulate) {
        long[] strides = whole.strides();
        return StridedView.describe(
                ints(part.size(), flag(accumulate), start * strides[whole.axis(axis)]),
                new StridedView(part.toArray(), strides));
    }

    private static void readKernel(KernelContext c, IntArray d, FloatArray s, FloatArray x, FloatArray out) {
        int i = c.globalIdx;
        if (i < d.get(2)) {
            float value = x.get(d.get(0) + d.get(4) + StridedView.source(d, 5, i));
            Kernel.write(out, d.get(1) + i, value, d.get(3));
        }
    }

    private static void writeKernel(KernelContext c, IntArray d, FloatArray s, FloatArray x, FloatArray out) {
        int i = c.globalIdx;
        if (i < d.get(2)) {
            int to = d.get(1) + d.get(4) + StridedView.source(d, 5, i);
            Kernel.write(out, to, x.get(d.get(0) + i), d.get(3));
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
                ints(out.size(), stride), new StridedView(index.shape().toArray(), strides));
        launcher.run(GATHER, out.size(), ints, floats(), x, index, out);
    }

    private static void gatherKernel(
            KernelContext c, IntArray d, FloatArray s, FloatArray x, IntArray index, FloatArray out) {
        int i = c.globalIdx;
        if (i < d.get(3)) {
            int chosen = index.get(d.get(1) + i);
            out.set(d.get(2) + i, x.get(d.get(0) + StridedView.source(d, 5, i) + chosen * d.get(4)));
        }
    }

    /** An item adds along the whole axis, so that equal indices are added in their order; items never meet. */
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
                ints(lines.size(), index.shape().get(resolved), from[resolved], to[resolved]),
                new StridedView(lines.toArray(), from),
                new StridedView(lines.toArray(), to));
        long items = index.size() == 0 ? 0 : lines.size();
        launcher.run(GATHER_BACKWARD, items, ints, floats(), index, dy, dx);
    }

    private static void gatherBackwardKernel(
            KernelContext c, IntArray d, FloatArray s, IntArray index, FloatArray dy, FloatArray dx) {
        int i = c.globalIdx;
        if (i < d.get(3)) {
            int view = 7;
            int from = StridedView.source(d, view, i);
            int to = d.get(2) + StridedView.source(d, StridedView.next(d, view), i);
            for (int j = 0; j < d.get(4); j++) {
                int at = from + j * d.get(5);
                int target = to + index.get(d.get(0) + at) * d.get(6);
                dx.set(target, dx.get(target) + dy.get(d.get(1) + at));
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
