package io.gradus.gpu;

import static io.gradus.gpu.runtime.Launcher.flag;
import static io.gradus.gpu.runtime.Launcher.floats;
import static io.gradus.gpu.runtime.Launcher.ints;

import io.gradus.core.DType;
import io.gradus.core.Tensor;
import io.gradus.core.kernel.EmbeddingKernels;
import io.gradus.gpu.runtime.Kernel;
import io.gradus.gpu.runtime.Launcher;
import io.gradus.gpu.runtime.Workspace;
import java.util.Arrays;
import uk.ac.manchester.tornado.api.KernelContext;
import uk.ac.manchester.tornado.api.types.arrays.FloatArray;
import uk.ac.manchester.tornado.api.types.arrays.IntArray;
import uk.ac.manchester.tornado.api.types.arrays.ShortArray;

/** {@link EmbeddingKernels}. */
final class Embedding implements EmbeddingKernels {
    private static final Kernel GATHER = Kernel.of("embedding", Embedding::gatherKernel);
    private static final Kernel GATHER_HALF = Kernel.of("embedding_half", Embedding::gatherHalfKernel);
    private static final Kernel SCATTER_ADD = Kernel.of("embedding_backward", Embedding::scatterAddKernel);

    // The descriptor: where the operands begin, then the integers of the launch.
    private static final int DWEIGHT = 0;
    private static final int OUT = 0;
    private static final int IDS = 1;
    private static final int DY = 2;
    private static final int WEIGHT = 2;
    private static final int POSITIONS = 3;
    private static final int N = Kernel.INTS;
    private static final int WIDTH = Kernel.INTS + 1;
    private static final int IS_FLOAT16 = Kernel.INTS + 2;
    private static final int COUNT = Kernel.INTS + 2;

    private final Launcher launcher;

    Embedding(Launcher launcher) {
        this.launcher = launcher;
    }

    @Override
    public void gather(Tensor weight, Tensor ids, Tensor out) {
        checkIds(Ids.of(ids), weight.shape().get(0));
        int[] ints = ints(out.size(), weight.shape().get(1), flag(weight.dtype() == DType.F16));
        launcher.run(weight.dtype().isHalf() ? GATHER_HALF : GATHER, out.size(), ints, floats(), out, ids, weight);
    }

    private static void gatherKernel(
            KernelContext c, IntArray d, FloatArray s, FloatArray out, IntArray ids, FloatArray weight) {
        int i = c.globalIdx;
        if (i < d.get(N)) {
            int width = d.get(WIDTH);
            int id = ids.get(d.get(IDS) + i / width);
            out.set(d.get(OUT) + i, weight.get(d.get(WEIGHT) + id * width + i % width));
        }
    }

    private static void gatherHalfKernel(
            KernelContext c, IntArray d, FloatArray s, FloatArray out, IntArray ids, ShortArray weight) {
        int i = c.globalIdx;
        if (i < d.get(N)) {
            int width = d.get(WIDTH);
            short half = weight.get(d.get(WEIGHT) + ids.get(d.get(IDS) + i / width) * width + i % width);
            if (d.get(IS_FLOAT16) != 0) {
                Cast.widenFloat16(half, out, d.get(OUT) + i);
            } else {
                Cast.widenBFloat16(half, out, d.get(OUT) + i);
            }
        }
    }

    /**
     * The host sorts the positions of the ids with a stable sort and uploads this order and the start of each distinct
     * id in it. A work-item then owns one column of one row of the table and adds the gradients to it in the order of
     * their positions, so the result does not depend on timing.
     */
    @Override
    public void scatterAdd(Tensor ids, Tensor dy, Tensor dweight, boolean accumulate) {
        int[] numbers = Ids.of(ids);
        checkIds(numbers, dweight.shape().get(0));
        if (!accumulate) {
            dweight.kernels().elementwise().fill(dweight, 0);
        }
        if (numbers.length == 0) {
            return;
        }
        long width = dweight.shape().get(1);
        int[] order = sortedPositions(numbers);
        int[] begins = begins(numbers, order);
        int distinct = begins.length - 1;
        int[] both = Arrays.copyOf(order, order.length + begins.length);
        System.arraycopy(begins, 0, both, order.length, begins.length);
        try (Workspace positions = new Workspace(Tensor.of(ids.device(), both, both.length))) {
            int[] sizes = ints(distinct * width, width, order.length);
            launcher.run(SCATTER_ADD, distinct * width, sizes, floats(), dweight, ids, dy, positions.tensor());
        }
    }

    /** The positions of the ids in ascending order of the ids; equal ids keep their order. */
    private static int[] sortedPositions(int[] ids) {
        long[] keys = new long[ids.length];
        for (int i = 0; i < ids.length; i++) {
            keys[i] = (long) ids[i] << 32 | i;
        }
        Arrays.sort(keys);
        int[] order = new int[ids.length];
        for (int i = 0; i < ids.length; i++) {
            order[i] = (int) keys[i];
        }
        return order;
    }

    /** The start of each distinct id in the order, followed by the end of the last one. */
    private static int[] begins(int[] ids, int[] order) {
        int[] begins = new int[ids.length + 1];
        int count = 0;
        for (int i = 0; i < order.length; i++) {
            if (i == 0 || ids[order[i]] != ids[order[i - 1]]) {
                begins[count++] = i;
            }
        }
        begins[count] = order.length;
        return Arrays.copyOf(begins, count + 1);
    }

    private static void scatterAddKernel(
            KernelContext c,
            IntArray d,
            FloatArray s,
            FloatArray dweight,
            IntArray ids,
            FloatArray dy,
            IntArray positions) {
        int i = c.globalIdx;
        if (i < d.get(N)) {
            int width = d.get(WIDTH);
            int column = i % width;
            int begins = d.get(POSITIONS) + d.get(COUNT) + i / width;
            int first = positions.get(begins);
            int end = positions.get(begins + 1);
            int id = ids.get(d.get(IDS) + positions.get(d.get(POSITIONS) + first));
            int to = d.get(DWEIGHT) + id * width + column;
            float sum = dweight.get(to);
            for (int j = first; j < end; j++) {
                sum += dy.get(d.get(DY) + positions.get(d.get(POSITIONS) + j) * width + column);
            }
            dweight.set(to, sum);
        }
    }

    private static void checkIds(int[] ids, long rows) {
        int bad = Ids.firstOutside(ids, rows);
        if (bad >= 0) {
            throw EmbeddingKernels.badId(ids[bad], rows);
        }
    }
}
