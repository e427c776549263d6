package io.gradus.core.cpu.scalar;

import io.gradus.core.Tensor;
import io.gradus.core.cpu.common.CpuStorage;
import io.gradus.core.cpu.common.Scratch;
import io.gradus.core.cpu.common.Workers;
import io.gradus.core.kernel.ScanKernels;
import java.lang.foreign.MemorySegment;
import java.util.Arrays;

/**
 * Cumulative sums and largest elements along one axis. A tensor is {@code [outer, n, inner]}, where n is the length of the axis
 * and inner the product of the lengths after it.
 */
public final class Scan implements ScanKernels {
    private static final int GRAIN = 1 << 14;

    private final Workers workers;

    public Scan(Workers workers) {
        this.workers = workers;
    }

    /** Adds the rows of {@code [n, columns]} blocks with at most {@link Chunks#SIZE} columns, with one running sum per column. */
    @Override
    public void cumsum(Tensor x, int axis, boolean reverse, Tensor out, boolean accumulate) {
        long n = x.shape().get(axis);
        long inner = x.shape().strides()[x.shape().axis(axis)];
        if (x.size() == 0) {
            return;
        }
        MemorySegment source = CpuStorage.of(x);
        MemorySegment target = CpuStorage.of(out);
        long blocks = (inner + Chunks.SIZE - 1) / Chunks.SIZE;
        long work = n * Math.min(inner, Chunks.SIZE);
        workers.forEach(x.size() / n / inner * blocks, Math.max(1, GRAIN / work), (from, to) -> {
            for (long item = from; item < to; item++) {
                long column = item % blocks * Chunks.SIZE;
                int columns = (int) Math.min(Chunks.SIZE, inner - column);
                long first = item / blocks * n * inner + column;
                double[] sums = Scratch.ofThread().doubles(0, columns);
                Arrays.fill(sums, 0, columns, 0);
                for (long i = 0; i < n; i++) {
                    long at = first + (reverse ? n - 1 - i : i) * inner;
                    for (int c = 0; c < columns; c++) {
                        sums[c] += CpuStorage.get(source, at + c);
                        float sum = (float) sums[c];
                        CpuStorage.set(target, at + c, accumulate ? CpuStorage.get(target, at + c) + sum : sum);
                    }
                }
            }
        });
    }

    @Override
    public void topk(Tensor x, int axis, Tensor values, Tensor indices) {
        int n = Math.toIntExact(x.shape().get(axis));
        int k = Math.toIntExact(values.shape().get(axis));
        long inner = x.shape().strides()[x.shape().axis(axis)];
        if (values.size() == 0) {
            return;
        }
        MemorySegment source = CpuStorage.of(x);
        MemorySegment largest = CpuStorage.of(values);
        MemorySegment where = CpuStorage.of(indices);
        workers.forEach(values.size() / k, Math.max(1, GRAIN / n), (from, to) -> {
            long[] best = new long[k];
            for (long line = from; line < to; line++) {
                long first = line / inner * n * inner + line % inner;
                select(source, first, inner, n, best);
                long result = line / inner * k * inner + line % inner;
                for (int i = 0; i < k; i++) {
                    int index = (int) best[i];
                    CpuStorage.set(largest, result + i * inner, CpuStorage.get(source, first + index * inner));
                    CpuStorage.setInt(where, result + i * inner, index);
                }
            }
        });
    }

    /** Fills {@code best} with the smallest keys of n elements in ascending order, using a heap with the largest at its root. */
    private static void select(MemorySegment source, long first, long stride, int n, long[] best) {
        int k = best.length;
        for (int i = 0; i < k; i++) {
            best[k - 1 - i] = key(CpuStorage.get(source, first + i * stride), i);
        }
        for (int i = k / 2 - 1; i >= 0; i--) {
            siftDown(best, i);
        }
        for (int i = k; i < n; i++) {
            long key = key(CpuStorage.get(source, first + i * stride), i);
            if (key < best[0]) {
                best[0] = key;
                siftDown(best, 0);
            }
        }
        Arrays.sort(best);
    }

    private static void siftDown(long[] heap, int parent) {
        long key = heap[parent];
        int child = 2 * parent + 1;
        while (child < heap.length) {
            if (child + 1 < heap.length && heap[child + 1] > heap[child]) {
                child++;
            }
            if (heap[child] <= key) {
                break;
            }
            heap[parent] = heap[child];
            parent = child;
            child = 2 * parent + 1;
        }
        heap[parent] = key;
    }

    /** A sort key: smaller for larger values, and among equal values for lower indices. NaN counts as the largest value. */
    private static long key(float value, int index) {
        int bits = Float.floatToIntBits(value + 0f); // −0 becomes 0
        int ascending = bits ^ (bits >> 31 & Integer.MAX_VALUE);
        return (long) ~ascending << 32 | index;
    }
}
