package io.gradus.core.cpu.vector.gemm;

import io.gradus.core.HostCast;
import io.gradus.core.cpu.vector.Halves;
import io.gradus.core.cpu.vector.Lanes;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;
import jdk.incubator.vector.FloatVector;

/**
 * The loops of {@link Gemv} on a matrix in BF16, which is half as much to read. They differ from those on F32 in the loads alone, and
 * have the same results. (One loop for both would have to choose a load for each vector.)
 */
final class Bf16Gemv {
    private static final int V = Lanes.COUNT;
    private static final ValueLayout.OfShort SHORT =
            ValueLayout.JAVA_SHORT_UNALIGNED.withOrder(ByteOrder.nativeOrder());

    private Bf16Gemv() {}

    /**
     * {@code sums[j] = Σₖ row[k]·b[k, column + j]}, where a column of b is contiguous. Four columns at a time, a quarter of the chunk
     * apart: memory is read as four long streams, which is up to 1.5 times as fast as one.
     */
    static void dots(float[] row, int at, int k, Matrix b, int column, float[] sums, int count) {
        int quarter = count / 4;
        for (int j = 0; j < quarter; j++) {
            fourDots(row, at, k, b.memory(), b.place(0, column + j), quarter * b.stride(), sums, j, quarter);
        }
        for (int j = 4 * quarter; j < count; j++) {
            sums[j] = dot(row, at, k, b.memory(), b.place(0, column + j));
        }
    }

    /** {@link #dot} with four columns of the matrix, {@code apart} elements apart. */
    private static void fourDots(
            float[] row, int at, int k, MemorySegment memory, long from, long apart, float[] sums, int to, int step) {
        FloatVector p0 = Lanes.zero(), p1 = p0, q0 = p0, q1 = p0, r0 = p0, r1 = p0, s0 = p0, s1 = p0;
        long q = from + apart;
        long r = q + apart;
        long s = r + apart;
        int i = 0;
        for (; i <= k - 2 * V; i += 2 * V) {
            FloatVector x0 = Lanes.load(row, at + i);
            FloatVector x1 = Lanes.load(row, at + i + V);
            p0 = x0.fma(Halves.load(memory, from + i), p0);
            q0 = x0.fma(Halves.load(memory, q + i), q0);
            r0 = x0.fma(Halves.load(memory, r + i), r0);
            s0 = x0.fma(Halves.load(memory, s + i), s0);
            p1 = x1.fma(Halves.load(memory, from + i + V), p1);
            q1 = x1.fma(Halves.load(memory, q + i + V), q1);
            r1 = x1.fma(Halves.load(memory, r + i + V), r1);
            s1 = x1.fma(Halves.load(memory, s + i + V), s1);
        }
        sums[to] = withRest(Lanes.sum(p0.add(p1)), row, at, i, k, memory, from);
        sums[to + step] = withRest(Lanes.sum(q0.add(q1)), row, at, i, k, memory, q);
        sums[to + 2 * step] = withRest(Lanes.sum(r0.add(r1)), row, at, i, k, memory, r);
        sums[to + 3 * step] = withRest(Lanes.sum(s0.add(s1)), row, at, i, k, memory, s);
    }

    private static float dot(float[] row, int at, int k, MemorySegment memory, long from) {
        FloatVector s0 = Lanes.zero(), s1 = s0;
        int i = 0;
        for (; i <= k - 2 * V; i += 2 * V) {
            s0 = Lanes.load(row, at + i).fma(Halves.load(memory, from + i), s0);
            s1 = Lanes.load(row, at + i + V).fma(Halves.load(memory, from + i + V), s1);
        }
        return withRest(Lanes.sum(s0.add(s1)), row, at, i, k, memory, from);
    }

    /** Adds the products of the elements from {@code i}, fewer than two vectors, to a sum. */
    private static float withRest(float sum, float[] row, int at, int i, int k, MemorySegment memory, long from) {
        float whole = sum;
        for (int j = i; j < k; j++) {
            whole = Math.fma(row[at + j], get(memory, from + j), whole);
        }
        return whole;
    }

    /** {@code sums[j] = Σₖ row[k]·b[k, column + j]}, where a row of b is contiguous. */
    static void multiples(float[] row, int at, int k, Matrix b, int column, float[] sums, int count) {
        int j = 0;
        for (; j <= count - Gemv.BLOCK; j += Gemv.BLOCK) {
            block(row, at, k, b.memory(), b.place(0, column + j), b.stride(), sums, j);
        }
        for (; j <= count - V; j += V) {
            vector(row, at, k, b.memory(), b.place(0, column + j), b.stride(), sums, j);
        }
        for (; j < count; j++) {
            sums[j] = 0;
            for (int i = 0; i < k; i++) {
                sums[j] = Math.fma(row[at + i], get(b.memory(), b.place(i, column + j)), sums[j]);
            }
        }
    }

    private static void vector(
            float[] row, int at, int k, MemorySegment memory, long from, long stride, float[] sums, int to) {
        FloatVector sum = Lanes.zero();
        for (int i = 0; i < k; i++) {
            sum = Lanes.broadcast(row[at + i]).fma(Halves.load(memory, from + i * stride), sum);
        }
        sum.intoArray(sums, to);
    }

    private static void block(
            float[] row, int at, int k, MemorySegment memory, long from, long stride, float[] sums, int to) {
        FloatVector s0 = Lanes.zero(), s1 = s0, s2 = s0, s3 = s0, s4 = s0, s5 = s0, s6 = s0, s7 = s0;
        for (int i = 0; i < k; i++) {
            FloatVector x = Lanes.broadcast(row[at + i]);
            long b = from + i * stride;
            s0 = x.fma(Halves.load(memory, b), s0);
            s1 = x.fma(Halves.load(memory, b + V), s1);
            s2 = x.fma(Halves.load(memory, b + 2 * V), s2);
            s3 = x.fma(Halves.load(memory, b + 3 * V), s3);
            s4 = x.fma(Halves.load(memory, b + 4 * V), s4);
            s5 = x.fma(Halves.load(memory, b + 5 * V), s5);
            s6 = x.fma(Halves.load(memory, b + 6 * V), s6);
            s7 = x.fma(Halves.load(memory, b + 7 * V), s7);
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

    private static float get(MemorySegment memory, long index) {
        return HostCast.fromBFloat16(memory.get(SHORT, index * 2));
    }
}
