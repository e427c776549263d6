package io.gradus.gpu;

import static io.gradus.gpu.runtime.Launcher.flag;
import static io.gradus.gpu.runtime.Launcher.floats;
import static io.gradus.gpu.runtime.Launcher.ints;

import io.gradus.core.DType;
import io.gradus.core.MemoryCategory;
import io.gradus.core.Shape;
import io.gradus.core.Tensor;
import io.gradus.core.kernel.ReductionKernels;
import io.gradus.gpu.runtime.Kernel;
import io.gradus.gpu.runtime.Launcher;
import java.util.List;
import java.util.stream.IntStream;
import uk.ac.manchester.tornado.api.KernelContext;
import uk.ac.manchester.tornado.api.types.arrays.FloatArray;
import uk.ac.manchester.tornado.api.types.arrays.IntArray;

/**
 * {@link ReductionKernels}. A result combines many terms. If the terms of one result are adjacent in memory, a
 * work-group combines them in a tree. If the terms of neighboring results are adjacent, a work-item combines all terms
 * of its own result. Long reductions are split into chunks, whose results are the terms of the next launch.
 */
final class Reduction implements ReductionKernels {
    private static final Kernel BY_ITEM = Kernel.of("fold_by_item", Reduction::byItemKernel);
    private static final Kernel BY_GROUP = Kernel.of("fold_by_group", Reduction::byGroupKernel);
    private static final Kernel SHARE = Kernel.of("max_backward", Reduction::shareKernel);

    // The descriptor: where the operands begin, then the integers of the launch.
    private static final int X = 0;
    private static final int Y = 1;
    private static final int DX = 2;
    private static final int OUT = 2;
    private static final int DY = 3;
    private static final int COUNTS = 4;
    private static final int RESULTS = Kernel.INTS;
    private static final int N = Kernel.INTS;
    private static final int TERMS = Kernel.INTS + 1;
    private static final int CHUNK = Kernel.INTS + 2;
    private static final int FOLD = Kernel.INTS + 3;
    private static final int ACCUMULATE = Kernel.INTS + 4;
    private static final int VIEWS = Kernel.INTS + 5;

    // How terms are combined.
    private static final int SUM = 0;
    private static final int MAX = 1;
    /** The number of terms equal to the maximum. */
    private static final int COUNT = 2;

    private static final int FEW_TERMS = 64;
    private static final int TERMS_OF_ITEM = 128;
    private static final int TERMS_OF_GROUP = 64 * Kernel.GROUP;
    private static final int MOST_CHUNKS = 4096;
    private static final long MOST_GROUPS = (1 << 24) - 1;

    private final Launcher launcher;
    private final SumOfSquares sumOfSquares;

    Reduction(Launcher launcher) {
        this.launcher = launcher;
        sumOfSquares = new SumOfSquares(launcher);
    }

    /**
     * @param results the number of results
     * @param first the position of the first term of each result
     * @param terms the number of terms per result
     * @param others the positions of the terms of a result, relative to its first
     * @param sideBySide whether adjacent elements are terms of the same result
     */
    private record Plan(long results, StridedView first, long terms, StridedView others, boolean sideBySide) {

        static Plan of(Shape in, Shape out) {
            long[] strides = in.strides();
            long[] outStrides = out.broadcastStrides(in);
            int[] axes =
                    IntStream.range(0, in.rank()).filter(i -> in.get(i) != 1).toArray();
            int[] staying = IntStream.of(axes).filter(i -> outStrides[i] != 0).toArray();
            int[] going = IntStream.of(axes).filter(i -> outStrides[i] == 0).toArray();
            boolean sideBySide = axes.length > 0 && outStrides[axes[axes.length - 1]] == 0;
            return new Plan(
                    out.size(), view(in, strides, staying), count(in, going), view(in, strides, going), sideBySide);
        }

        /** The reduction of the results of chunks: [chunks, results]. */
        static Plan ofChunks(long chunks, long results) {
            return new Plan(
                    results, StridedView.line(results, 1), chunks, StridedView.line(chunks, results), results == 1);
        }

        private static StridedView view(Shape shape, long[] strides, int[] axes) {
            return new StridedView(
                    IntStream.of(axes).mapToLong(shape::get).toArray(),
                    IntStream.of(axes).mapToLong(i -> strides[i]).toArray());
        }

        private static long count(Shape shape, int[] axes) {
            return IntStream.of(axes).mapToLong(shape::get).reduce(1, (a, b) -> a * b);
        }

        boolean byGroup() {
            return terms > FEW_TERMS && results <= MOST_GROUPS && (sideBySide || results < Kernel.GROUP);
        }

        long chunk() {
            return byGroup()
                    ? Math.max(TERMS_OF_GROUP, Math.ceilDiv(terms, MOST_CHUNKS))
                    : Math.max(TERMS_OF_ITEM, (long) Math.ceil(Math.sqrt(terms)));
        }
    }

    @Override
    public void sumTo(Tensor x, Tensor out, boolean accumulate) {
        fold(SUM, Plan.of(x.shape(), out.shape()), x, x, out, accumulate);
    }

    @Override
    public void maxTo(Tensor x, Tensor out) {
        fold(MAX, Plan.of(x.shape(), out.shape()), x, x, out, false);
    }

    /** @param y for COUNT: the maximum of each result */
    private void fold(int fold, Plan plan, Tensor x, Tensor y, Tensor out, boolean accumulate) {
        long chunks = Math.ceilDiv(plan.terms, plan.chunk());
        if (chunks <= 1) {
            launch(fold, plan, x, y, out, accumulate);
            return;
        }
        Tensor partial = Tensor.empty(x.device(), DType.F32, Shape.of(chunks, plan.results), MemoryCategory.WORKSPACE);
        try {
            launch(fold, plan, x, y, partial, false);
            fold(fold == COUNT ? SUM : fold, Plan.ofChunks(chunks, plan.results), partial, partial, out, accumulate);
        } finally {
            partial.release();
        }
    }

    private void launch(int fold, Plan plan, Tensor x, Tensor y, Tensor out, boolean accumulate) {
        long chunk = plan.chunk();
        int[] ints = StridedView.describe(
                ints(plan.results, plan.terms, chunk, fold, flag(accumulate)), plan.first, plan.others);
        boolean byGroup = plan.byGroup();
        launcher.run(
                byGroup ? BY_GROUP : BY_ITEM,
                byGroup ? plan.results * Kernel.GROUP : plan.results,
                Math.max(1, Math.ceilDiv(plan.terms, chunk)),
                ints,
                floats(),
                x,
                y,
                out);
    }

    private static void byItemKernel(
            KernelContext c, IntArray d, FloatArray s, FloatArray x, FloatArray y, FloatArray out) {
        int result = c.globalIdx;
        int results = d.get(RESULTS);
        if (result < results) {
            int chunk = c.globalIdy;
            int fold = d.get(FOLD);
            int others = StridedView.next(d, VIEWS);
            int first = d.get(X) + StridedView.source(d, VIEWS, result);
            int from = chunk * d.get(CHUNK);
            int to = from + d.get(CHUNK) < d.get(TERMS) ? from + d.get(CHUNK) : d.get(TERMS);
            float largest = fold == COUNT ? y.get(d.get(Y) + result) : 0;
            float total = fold == MAX ? Float.NEGATIVE_INFINITY : 0;
            for (int i = from; i < to; i++) {
                float value = x.get(first + StridedView.source(d, others, i));
                total = pair(fold, total, fold == COUNT ? equal(value, largest) : value);
            }
            Kernel.write(out, d.get(OUT) + chunk * results + result, total, d.get(ACCUMULATE));
        }
    }

    private static void byGroupKernel(
            KernelContext c, IntArray d, FloatArray s, FloatArray x, FloatArray y, FloatArray out) {
        float[] shared = c.allocateFloatLocalArray(Kernel.GROUP);
        int item = c.localIdx;
        int result = c.groupIdx;
        int chunk = c.globalIdy;
        int fold = d.get(FOLD);
        int others = StridedView.next(d, VIEWS);
        int first = d.get(X) + StridedView.source(d, VIEWS, result);
        int from = chunk * d.get(CHUNK);
        int to = from + d.get(CHUNK) < d.get(TERMS) ? from + d.get(CHUNK) : d.get(TERMS);
        float largest = fold == COUNT ? y.get(d.get(Y) + result) : 0;
        float total = fold == MAX ? Float.NEGATIVE_INFINITY : 0;
        for (int i = from + item; i < to; i += Kernel.GROUP) {
            float value = x.get(first + StridedView.source(d, others, i));
            total = pair(fold, total, fold == COUNT ? equal(value, largest) : value);
        }
        shared[item] = total;
        c.localBarrier();
        for (int half = Kernel.GROUP / 2; half > 0; half >>= 1) {
            if (item < half) {
                shared[item] = pair(fold, shared[item], shared[item + half]);
            }
            c.localBarrier();
        }
        if (item == 0) {
            Kernel.write(out, d.get(OUT) + chunk * d.get(RESULTS) + result, shared[0], d.get(ACCUMULATE));
        }
    }

    /**
     * Combines two terms; NaN is the largest value. (TornadoVM may compile {@code >=} to code that is true for NaN, but
     * not {@code >}.)
     */
    private static float pair(int fold, float a, float b) {
        float larger = b > a || Float.isNaN(b) ? b : a;
        return fold == MAX ? larger : a + b;
    }

    private static float equal(float a, float b) {
        return a == b ? 1 : 0;
    }

    /** Counts the elements equal to each maximum, then gives each of them an equal share of its gradient. */
    @Override
    public void maxBackward(Tensor x, Tensor y, Tensor dy, Tensor dx, boolean accumulate) {
        Tensor counts = Tensor.empty(x.device(), DType.F32, y.shape(), MemoryCategory.WORKSPACE);
        try {
            fold(COUNT, Plan.of(x.shape(), y.shape()), x, y, counts, false);
            int[] ints = StridedView.describe(
                    ints(x.size(), 0, 0, 0, flag(accumulate)), StridedView.broadcast(y.shape(), x.shape()));
            launcher.run(SHARE, x.size(), ints, floats(), x, y, dx, dy, counts);
        } finally {
            counts.release();
        }
    }

    private static void shareKernel(
            KernelContext c,
            IntArray d,
            FloatArray s,
            FloatArray x,
            FloatArray y,
            FloatArray dx,
            FloatArray dy,
            FloatArray counts) {
        int i = c.globalIdx;
        if (i < d.get(N)) {
            int result = StridedView.source(d, VIEWS, i);
            float share = dy.get(d.get(DY) + result) / counts.get(d.get(COUNTS) + result);
            boolean equal = x.get(d.get(X) + i) == y.get(d.get(Y) + result);
            Kernel.write(dx, d.get(DX) + i, equal ? share : 0, d.get(ACCUMULATE));
        }
    }

    @Override
    public double sumOfSquares(List<Tensor> tensors) {
        return sumOfSquares.of(tensors);
    }
}
