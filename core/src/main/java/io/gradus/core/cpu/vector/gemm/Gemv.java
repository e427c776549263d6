package io.gradus.core.cpu.vector.gemm;

import io.gradus.core.DType;
import io.gradus.core.cpu.common.FloatMemory;
import io.gradus.core.cpu.common.Workers;
import io.gradus.core.cpu.machine.GemvKernel;
import io.gradus.core.cpu.machine.MachineCode;
import io.gradus.core.cpu.vector.Lanes;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import jdk.incubator.vector.FloatVector;

/**
 * The product of a few rows and a matrix, as in generating one token at a time. Each element of the matrix is used once per row,
 * so reading it takes most of the time: it is read in place and in order, without packing, as BF16 if it is stored so
 * ({@link Bf16Gemv}), and ahead of its use where machine code can ({@link GemvKernel}).
 *
 * <p>Each element of the result is summed by itself, in an order that depends only on k. So the columns may be divided by the
 * number of threads.
 */
final class Gemv {
    private static final int V = Lanes.COUNT;
    /** Columns whose sums are held in registers if rows of the matrix are contiguous. */
    private static final int BLOCK = 8 * V;
    /** The least number of elements of the matrix in a chunk. */
    private static final int GRAIN = 1 << 14;
    /** Chunks per thread: a thread that begins late leaves some to the others. */
    private static final int CHUNKS = 4;

    /** Groups of four columns in a call of machine code. */
    private static final int AT_A_TIME = 16;

    private static final boolean READS_AHEAD = V == GemvKernel.LANES && MachineCode.hasGemv();

    private Gemv() {}

    static void multiply(Gemm.Product p, Workers workers) {
        boolean half = p.b().dtype() == DType.BF16;
        float[] rows = rows(p, half && p.b().transposed());
        workers.forEach(p.n(), columns(p, workers.threads()), (from, to) -> {
            int count = (int) (to - from);
            int column = (int) from;
            float[] sums = new float[count + V];
            Matrix b = half ? p.b() : p.b().floats(0, p.k(), column, (int) to);
            for (int i = 0; i < p.m(); i++) {
                if (b.transposed()) {
                    dots(half, rows, i * p.k(), p.k(), b, column, sums, count);
                } else {
                    multiples(half, rows, i * p.k(), p.k(), b, column, sums, count);
                }
                p.write().store(sums, 0, p.c(), i, column, 1, count);
            }
        });
    }

    /**
     * The rows of A in F32.
     *
     * @param split whether their elements are ordered for {@link Bf16Gemv#fourDots}
     */
    private static float[] rows(Gemm.Product p, boolean split) {
        float[] rows = new float[p.m() * p.k()];
        Matrix a = p.a().floats(0, p.m(), 0, p.k());
        for (int i = 0; i < p.m(); i++) {
            if (a.transposed()) {
                for (int k = 0; k < p.k(); k++) {
                    rows[i * p.k() + k] = a.get(i, k);
                }
            } else {
                MemorySegment.copy(a.memory(), ValueLayout.JAVA_FLOAT, a.place(i, 0) * 4, rows, i * p.k(), p.k());
            }
            if (split) {
                Bf16Gemv.split(rows, i * p.k(), whole(p.k()));
            }
        }
        return rows;
    }

    /** The elements of a dot product of length k that are in whole pairs of vectors. */
    private static int whole(int k) {
        return k - k % (2 * V);
    }

    /** The number of columns in a chunk. Rows of the matrix are read in pieces of whole blocks, and so are whole cache lines. */
    private static int columns(Gemm.Product p, int threads) {
        int unit = p.b().transposed() ? 8 : BLOCK;
        int least = GRAIN / Math.max(1, p.k());
        int even = Math.ceilDiv(p.n(), CHUNKS * threads);
        return Math.ceilDiv(Math.max(1, Math.max(least, even)), unit) * unit;
    }

    /**
     * {@code sums[j] = Σₖ row[k]·b[k, column + j]}, where a column of b is contiguous. Four columns at a time, a quarter of the chunk
     * apart: memory is read as four long streams, which is up to 1.5 times as fast as one.
     */
    private static void dots(boolean half, float[] row, int at, int k, Matrix b, int column, float[] sums, int count) {
        int quarter = count / 4;
        if (READS_AHEAD && quarter > 0 && b.stride() == k && k > 0 && k == whole(k)) {
            readAhead(half, row, at, k, b, column, sums, quarter);
        } else {
            for (int j = 0; j < quarter; j++) {
                fourDots(half, row, at, k, b, b.place(0, column + j), quarter * b.stride(), sums, j, quarter);
            }
        }
        for (int j = 4 * quarter; j < count; j++) {
            fourDots(half, row, at, k, b, b.place(0, column + j), 0, sums, j, 0); // the same one four times
        }
        FloatMemory elements = new FloatMemory(b.memory(), half);
        for (int j = 0; j < count; j++) {
            for (int i = whole(k); i < k; i++) {
                sums[j] = Math.fma(row[at + i], elements.get(b.place(i, column + j)), sums[j]);
            }
        }
    }

    /** The same four columns at a time in machine code, which adds in the same order. */
    private static void readAhead(
            boolean half, float[] row, int at, int k, Matrix b, int column, float[] sums, int quarter) {
        int bytes = b.dtype().bytes();
        float[] lanes = new float[AT_A_TIME * 4 * V];
        for (int j = 0; j < quarter; j += AT_A_TIME) {
            int some = Math.min(AT_A_TIME, quarter - j);
            GemvKernel.dots(
                    half,
                    MemorySegment.ofArray(row).asSlice(at * 4L),
                    b.memory().asSlice(b.place(0, column + j) * bytes),
                    MemorySegment.ofArray(lanes),
                    k / (2 * V),
                    (long) quarter * k * bytes,
                    some);
            for (int i = 0; i < some; i++) {
                for (int of4 = 0; of4 < 4; of4++) {
                    sums[of4 * quarter + j + i] = Lanes.sum(Lanes.load(lanes, (4 * i + of4) * V));
                }
            }
        }
    }

    private static void fourDots(
            boolean half, float[] row, int at, int k, Matrix b, long from, long apart, float[] sums, int to, int step) {
        if (half) {
            Bf16Gemv.fourDots(row, at, k, b.memory(), from, apart, sums, to, step);
        } else {
            fourDots(row, at, k, b.memory(), from, apart, sums, to, step);
        }
    }

    /** Dot products of the row and four columns of the matrix, {@code apart} elements apart, up to the last whole pair of vectors. */
    private static void fourDots(
            float[] row, int at, int k, MemorySegment memory, long from, long apart, float[] sums, int to, int step) {
        FloatVector p0 = Lanes.zero(), p1 = p0, q0 = p0, q1 = p0, r0 = p0, r1 = p0, s0 = p0, s1 = p0;
        long q = from + apart;
        long r = q + apart;
        long s = r + apart;
        for (int i = 0; i <= k - 2 * V; i += 2 * V) {
            FloatVector x0 = Lanes.load(row, at + i);
            FloatVector x1 = Lanes.load(row, at + i + V);
            p0 = x0.fma(Lanes.load(memory, from + i), p0);
            q0 = x0.fma(Lanes.load(memory, q + i), q0);
            r0 = x0.fma(Lanes.load(memory, r + i), r0);
            s0 = x0.fma(Lanes.load(memory, s + i), s0);
            p1 = x1.fma(Lanes.load(memory, from + i + V), p1);
            q1 = x1.fma(Lanes.load(memory, q + i + V), q1);
            r1 = x1.fma(Lanes.load(memory, r + i + V), r1);
            s1 = x1.fma(Lanes.load(memory, s + i + V), s1);
        }
        sums[to] = Lanes.sum(p0.add(p1));
        sums[to + step] = Lanes.sum(q0.add(q1));
        sums[to + 2 * step] = Lanes.sum(r0.add(r1));
        sums[to + 3 * step] = Lanes.sum(s0.add(s1));
    }

    /** {@code sums[j] = Σₖ row[k]·b[k, column + j]}, where a row of b is contiguous. */
    private static void multiples(
            boolean half, float[] row, int at, int k, Matrix b, int column, float[] sums, int count) {
        MemorySegment memory = b.memory();
        long stride = b.stride();
        int j = 0;
        for (; j <= count - BLOCK; j += BLOCK) {
            long from = b.place(0, column + j);
            if (half) {
                Bf16Gemv.block(row, at, k, memory, from, stride, sums, j);
            } else {
                block(row, at, k, memory, from, stride, sums, j);
            }
        }
        for (; j <= count - V; j += V) {
            long from = b.place(0, column + j);
            if (half) {
                Bf16Gemv.vector(row, at, k, memory, from, stride, sums, j);
            } else {
                vector(row, at, k, memory, from, stride, sums, j);
            }
        }
        FloatMemory elements = new FloatMemory(memory, half);
        for (; j < count; j++) {
            sums[j] = 0;
            for (int i = 0; i < k; i++) {
                sums[j] = Math.fma(row[at + i], elements.get(b.place(i, column + j)), sums[j]);
            }
        }
    }

    /** The sums of as many columns as a vector has lanes. */
    private static void vector(
            float[] row, int at, int k, MemorySegment memory, long from, long stride, float[] sums, int to) {
        FloatVector sum = Lanes.zero();
        for (int i = 0; i < k; i++) {
            sum = Lanes.broadcast(row[at + i]).fma(Lanes.load(memory, from + i * stride), sum);
        }
        sum.intoArray(sums, to);
    }

    /** The sums of {@link #BLOCK} columns. */
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
