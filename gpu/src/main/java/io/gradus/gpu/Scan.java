package io.gradus.gpu;

import static io.gradus.gpu.runtime.Launcher.flag;
import static io.gradus.gpu.runtime.Launcher.floats;
import static io.gradus.gpu.runtime.Launcher.ints;

import io.gradus.core.Tensor;
import io.gradus.core.kernel.ScanKernels;
import io.gradus.gpu.runtime.Kernel;
import io.gradus.gpu.runtime.Launcher;
import io.gradus.gpu.runtime.TornadoStorage;
import uk.ac.manchester.tornado.api.KernelContext;
import uk.ac.manchester.tornado.api.types.arrays.FloatArray;
import uk.ac.manchester.tornado.api.types.arrays.IntArray;

/**
 * {@link ScanKernels}. The neighboring work-items that process one line along the axis are its lanes ({@link Rows}). A
 * tensor is {@code [outer, n, inner]}: n is the length of the axis and inner is the product of the lengths after it.
 */
final class Scan implements ScanKernels {
    private static final Kernel CUMSUM = Kernel.of("cumsum", Scan::cumsumKernel);
    private static final Kernel TOPK = Kernel.of("topk", Scan::topkKernel);

    // The descriptor: where the operands begin, then the integers of the launch.
    private static final int X = 0;
    private static final int OUT = 1;
    private static final int VALUES = 1;
    private static final int INDICES = 2;
    private static final int LINES = Kernel.INTS;
    private static final int LANES = Kernel.INTS + 1;
    private static final int LENGTH = Kernel.INTS + 2;
    private static final int INNER = Kernel.INTS + 3;
    private static final int REVERSE = Kernel.INTS + 4;
    private static final int K = Kernel.INTS + 4;
    private static final int ACCUMULATE = Kernel.INTS + 5;

    private final Launcher launcher;

    Scan(Launcher launcher) {
        this.launcher = launcher;
    }

    /** Lanes per line. With many interleaved lines it is 1, so that neighboring items read neighboring elements. */
    private static int lanes(long n, long inner, long lines) {
        return inner == 1 || lines < Kernel.GROUP ? Rows.lanes(n) : 1;
    }

    @Override
    public void cumsum(Tensor x, int axis, boolean reverse, Tensor out, boolean accumulate) {
        if (x.size() == 0) {
            return;
        }
        long n = x.shape().get(axis);
        long inner = x.shape().strides()[x.shape().axis(axis)];
        long lines = x.size() / n;
        int lanes = lanes(n, inner, lines);
        int[] ints = ints(lines, lanes, n, inner, flag(reverse), flag(accumulate));
        launcher.run(CUMSUM, lines * lanes, ints, floats(), x, out);
    }

    /**
     * Each lane sums a contiguous part of the line. Then it starts from the sum of all earlier parts and visits its
     * part again.
     */
    private static void cumsumKernel(KernelContext c, IntArray d, FloatArray s, FloatArray x, FloatArray out) {
        double[] sums = c.allocateDoubleLocalArray(Kernel.GROUP);
        int lanes = d.get(LANES);
        int line = c.globalIdx / lanes;
        int lane = Rows.lane(c, lanes);
        int item = c.localIdx;
        int n = line < d.get(LINES) ? d.get(LENGTH) : 0;
        int inner = d.get(INNER);
        int part = (n + lanes - 1) / lanes;
        int from = lane * part;
        int to = from + part < n ? from + part : n;
        int first = line / inner * n * inner + line % inner;
        int step = inner;
        if (d.get(REVERSE) != 0) {
            first = first + (n - 1) * inner;
            step = -inner;
        }
        double sum = 0;
        for (int i = from; i < to; i++) {
            double value = x.get(d.get(X) + first + i * step);
            sum += value;
        }
        sums[item] = sum;
        c.localBarrier();
        sum = 0;
        for (int other = item - lane; other < item; other++) {
            sum += sums[other];
        }
        for (int i = from; i < to; i++) {
            double value = x.get(d.get(X) + first + i * step);
            sum += value;
            Kernel.write(out, d.get(OUT) + first + i * step, (float) sum, d.get(ACCUMULATE));
        }
    }

    @Override
    public void topk(Tensor x, int axis, Tensor values, Tensor indices) {
        TornadoStorage.of(indices).setHostCopy(null);
        if (values.size() == 0) {
            return;
        }
        long n = x.shape().get(axis);
        long k = values.shape().get(axis);
        long inner = x.shape().strides()[x.shape().axis(axis)];
        long lines = x.size() / n;
        int lanes = lanes(n, inner, lines);
        launcher.run(TOPK, lines * lanes, ints(lines, lanes, n, inner, k), floats(), x, values, indices);
    }

    /**
     * Visits the line k times, and each time finds the largest element that follows the previous result in descending
     * order.
     */
    private static void topkKernel(
            KernelContext c, IntArray d, FloatArray s, FloatArray x, FloatArray values, IntArray indices) {
        float[] bestValues = c.allocateFloatLocalArray(Kernel.GROUP);
        int[] bestIndices = c.allocateIntLocalArray(Kernel.GROUP);
        int lanes = d.get(LANES);
        int line = c.globalIdx / lanes;
        int lane = Rows.lane(c, lanes);
        int item = c.localIdx;
        int n = line < d.get(LINES) ? d.get(LENGTH) : 0;
        int inner = d.get(INNER);
        int k = d.get(K);
        int in = d.get(X) + line / inner * n * inner + line % inner;
        int out = line / inner * k * inner + line % inner;
        float lastValue = 0;
        int lastIndex = -1;
        for (int found = 0; found < k; found++) {
            float value = 0;
            int index = -1;
            for (int i = lane; i < n; i += lanes) {
                float candidate = x.get(in + i * inner);
                int left = lastIndex < 0 ? 1 : precedes(lastValue, lastIndex, candidate, i);
                int better = index < 0 ? 1 : precedes(candidate, i, value, index);
                if (left + better == 2) {
                    value = candidate;
                    index = i;
                }
            }
            bestValues[item] = value;
            bestIndices[item] = index;
            c.localBarrier();
            for (int half = lanes >> 1; half > 0; half >>= 1) {
                if (lane < half) {
                    float otherValue = bestValues[item + half];
                    int otherIndex = bestIndices[item + half];
                    int better = precedes(otherValue, otherIndex, bestValues[item], bestIndices[item]);
                    if (bestIndices[item] < 0) {
                        better = 1;
                    }
                    if (otherIndex >= 0 && better != 0) {
                        bestValues[item] = otherValue;
                        bestIndices[item] = otherIndex;
                    }
                }
                c.localBarrier();
            }
            lastValue = bestValues[item - lane];
            lastIndex = bestIndices[item - lane];
            if (lane == 0 && n > 0) {
                values.set(d.get(VALUES) + out + found * inner, lastValue);
                indices.set(d.get(INDICES) + out + found * inner, lastIndex);
            }
            c.localBarrier();
        }
    }

    /**
     * 1 if element a precedes element b in descending order. NaN is the largest value, and of equal elements the lower
     * index comes first.
     */
    private static int precedes(float a, int indexA, float b, int indexB) {
        int nanA = Float.isNaN(a) ? 1 : 0;
        int nanB = Float.isNaN(b) ? 1 : 0;
        int precedes = 0;
        if (nanA > nanB || a > b) {
            precedes = 1;
        }
        if (indexA < indexB && (a == b || nanA + nanB == 2)) {
            precedes = 1;
        }
        return precedes;
    }
}
