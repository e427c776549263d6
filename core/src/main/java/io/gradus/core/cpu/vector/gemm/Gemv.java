package io.gradus.core.cpu.vector.gemm;

import io.gradus.core.cpu.common.CpuStorage;
import io.gradus.core.cpu.common.Workers;
import io.gradus.core.cpu.vector.Lanes;
import java.lang.foreign.MemorySegment;
import jdk.incubator.vector.FloatVector;

/**
 * The product of a few rows and a matrix, as in generating one token at a time. Each element of the matrix is used once per row,
 * so reading it takes most of the time: it is read in place and in order, without packing.
 */
final class Gemv {
    private static final int V = Lanes.COUNT;
    /** Columns whose sums are held in registers if rows of the matrix are contiguous. */
    private static final int BLOCK = 8 * V;
    /** Elements of the matrix in a chunk. */
    private static final int GRAIN = 1 << 16;

    private Gemv() {}

    static void multiply(Gemm.Product p, Workers workers) {
        float[] rows = new float[p.m() * p.k()];
        Matrix a = p.a().floats(0, p.m(), 0, p.k());
        for (int i = 0; i < p.m(); i++) {
            for (int k = 0; k < p.k(); k++) {
                rows[i * p.k() + k] = a.get(i, k);
            }
        }
        int columns = Math.max(BLOCK, GRAIN / Math.max(1, p.k()) / BLOCK * BLOCK);
        workers.forEach(p.n(), columns, (from, to) -> {
            int count = (int) (to - from);
            float[] sums = new float[count + V];
            Matrix b = p.b().floats(0, p.k(), (int) from, (int) to);
            for (int i = 0; i < p.m(); i++) {
                if (b.transposed()) {
                    dots(rows, i * p.k(), p.k(), b, (int) from, sums, count);
                } else {
                    multiples(rows, i * p.k(), p.k(), b, (int) from, sums, count);
                }
                p.write().store(sums, 0, p.c(), i, (int) from, 1, count);
            }
        });
    }

    /** {@code sums[j] = Σₖ row[k]·b[k, column + j]}, where a column of b is contiguous. */
    private static void dots(float[] row, int at, int k, Matrix b, int column, float[] sums, int count) {
        for (int j = 0; j < count; j++) {
            sums[j] = dot(row, at, k, b.memory(), b.place(0, column + j));
        }
    }

    private static float dot(float[] row, int at, int k, MemorySegment memory, long from) {
        FloatVector s0 = Lanes.zero(), s1 = s0, s2 = s0, s3 = s0;
        int i = 0;
        for (; i <= k - 4 * V; i += 4 * V) {
            s0 = Lanes.load(row, at + i).fma(Lanes.load(memory, from + i), s0);
            s1 = Lanes.load(row, at + i + V).fma(Lanes.load(memory, from + i + V), s1);
            s2 = Lanes.load(row, at + i + 2 * V).fma(Lanes.load(memory, from + i + 2 * V), s2);
            s3 = Lanes.load(row, at + i + 3 * V).fma(Lanes.load(memory, from + i + 3 * V), s3);
        }
        for (; i <= k - V; i += V) {
            s0 = Lanes.load(row, at + i).fma(Lanes.load(memory, from + i), s0);
        }
        float sum = Lanes.sum(s0.add(s1).add(s2.add(s3)));
        for (; i < k; i++) {
            sum = Math.fma(row[at + i], CpuStorage.get(memory, from + i), sum);
        }
        return sum;
    }

    /** {@code sums[j] = Σₖ row[k]·b[k, column + j]}, where a row of b is contiguous. */
    private static void multiples(float[] row, int at, int k, Matrix b, int column, float[] sums, int count) {
        int j = 0;
        for (; j <= count - BLOCK; j += BLOCK) {
            block(row, at, k, b.memory(), b.place(0, column + j), b.stride(), sums, j);
        }
        for (; j <= count - V; j += V) {
            vector(row, at, k, b.memory(), b.place(0, column + j), b.stride(), sums, j);
        }
        for (; j < count; j++) {
            sums[j] = 0;
            for (int i = 0; i < k; i++) {
                sums[j] = Math.fma(row[at + i], b.get(i, column + j), sums[j]);
            }
        }
    }

    private static void vector(
            float[] row, int at, int k, MemorySegment memory, long from, long stride, float[] sums, int to) {
        FloatVector sum = Lanes.zero();
        for (int i = 0; i < k; i++) {
            sum = Lanes.broadcast(row[at + i]).fma(Lanes.load(memory, from + i * stride), sum);
        }
        sum.intoArray(sums, to);
    }

    private static void block(
            float[] row, int at, int k, MemorySegment memory, long from, long stride, float[] sums, int to) {
        FloatVector s0 = Lanes.zero(), s1 = s0, s2 = s0, s3 = s0, s4 = s0, s5 = s0, s6 = s0, s7 = s0;
        for (int i = 0; i < k; i++) {
            FloatVector x = Lanes.broadcast(row[at + i]);
            long b = from + i * stride;
            s0 = x.fma(Lanes.load(memory, b), s0);
            s1 = x.fma(Lanes.load(memory, b + V), s1);
            s2 = x.fma(Lanes.load(memory, b + 2 * V), s2);
            s3 = x.fma(Lanes.load(memory, b + 3 * V), s3);
            s4 = x.fma(Lanes.load(memory, b + 4 * V), s4);
            s5 = x.fma(Lanes.load(memory, b + 5 * V), s5);
            s6 = x.fma(Lanes.load(memory, b + 6 * V), s6);
            s7 = x.fma(Lanes.load(memory, b + 7 * V), s7);
        }
        s0.intoArray(sums, to);
        s1.intoArray(sums, to + V);
        s2.intoArray(sums, to + 2 * V);
        s3.intoArray(sums, to + 3 * V);
        s4.intoArray(sums, to + 4 * V);
        s5.intoArray(sums, to + 5 * V);
        s6.intoArray(sums, to + 6 * V);
        s7.intoArray(sums, to + 7 * V);
    }
}
