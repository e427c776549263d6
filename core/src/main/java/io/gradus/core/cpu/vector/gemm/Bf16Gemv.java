package io.gradus.core.cpu.vector.gemm;

import io.gradus.core.cpu.vector.Halves;
import io.gradus.core.cpu.vector.Lanes;
import java.lang.foreign.MemorySegment;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.IntVector;

/**
 * The inner loops of {@link Gemv} on a matrix in BF16, which is half as much to read. A load reads 2·V elements, where V is the
 * number of lanes; a shift makes floats of those at even places, and a mask of those at odd places ({@link Halves#pairs}).
 */
final class Bf16Gemv {
    private static final int V = Lanes.COUNT;

    /** Even numbers: where the lanes of even places belong. */
    private static final int[] EVEN = new int[V];

    static {
        for (int i = 0; i < V; i++) {
            EVEN[i] = 2 * i;
        }
    }

    private Bf16Gemv() {}

    /** Orders the first {@code count} elements of a row, whole blocks of 2·V, for {@link #fourDots}: even places, then odd ones. */
    static void split(float[] row, int at, int count) {
        for (int i = at; i < at + count; i += 2 * V) {
            FloatVector evens = FloatVector.fromArray(Lanes.FLOATS, row, i, EVEN, 0);
            FloatVector odds = FloatVector.fromArray(Lanes.FLOATS, row, i + 1, EVEN, 0);
            evens.intoArray(row, i);
            odds.intoArray(row, i + V);
        }
    }

    /** {@link Gemv#fourDots}, of a row in the order of {@link #split}. */
    static void fourDots(
            float[] row, int at, int k, MemorySegment memory, long from, long apart, float[] sums, int to, int step) {
        FloatVector p0 = Lanes.zero(), p1 = p0, q0 = p0, q1 = p0, r0 = p0, r1 = p0, s0 = p0, s1 = p0;
        long fromQ = from + apart;
        long fromR = fromQ + apart;
        long fromS = fromR + apart;
        for (int i = 0; i <= k - 2 * V; i += 2 * V) {
            FloatVector x0 = Lanes.load(row, at + i);
            FloatVector x1 = Lanes.load(row, at + i + V);
            IntVector p = Halves.pairs(memory, from + i);
            IntVector q = Halves.pairs(memory, fromQ + i);
            IntVector r = Halves.pairs(memory, fromR + i);
            IntVector s = Halves.pairs(memory, fromS + i);
            p0 = x0.fma(Halves.evens(p), p0);
            p1 = x1.fma(Halves.odds(p), p1);
            q0 = x0.fma(Halves.evens(q), q0);
            q1 = x1.fma(Halves.odds(q), q1);
            r0 = x0.fma(Halves.evens(r), r0);
            r1 = x1.fma(Halves.odds(r), r1);
            s0 = x0.fma(Halves.evens(s), s0);
            s1 = x1.fma(Halves.odds(s), s1);
        }
        sums[to] = Lanes.sum(p0.add(p1));
        sums[to + step] = Lanes.sum(q0.add(q1));
        sums[to + 2 * step] = Lanes.sum(r0.add(r1));
        sums[to + 3 * step] = Lanes.sum(s0.add(s1));
    }

    /** {@link Gemv#vector}. */
    static void vector(float[] row, int at, int k, MemorySegment memory, long from, long stride, float[] sums, int to) {
        FloatVector sum = Lanes.zero();
        for (int i = 0; i < k; i++) {
            sum = Lanes.broadcast(row[at + i]).fma(Halves.load(memory, from + i * stride), sum);
        }
        sum.intoArray(sums, to);
    }

    /** {@link Gemv#block}. */
    static void block(float[] row, int at, int k, MemorySegment memory, long from, long stride, float[] sums, int to) {
        FloatVector p0 = Lanes.zero(), p1 = p0, q0 = p0, q1 = p0, r0 = p0, r1 = p0, s0 = p0, s1 = p0;
        for (int i = 0; i < k; i++) {
            FloatVector x = Lanes.broadcast(row[at + i]);
            long b = from + i * stride;
            IntVector p = Halves.pairs(memory, b);
            IntVector q = Halves.pairs(memory, b + 2 * V);
            IntVector r = Halves.pairs(memory, b + 4 * V);
            IntVector s = Halves.pairs(memory, b + 6 * V);
            p0 = x.fma(Halves.evens(p), p0);
            p1 = x.fma(Halves.odds(p), p1);
            q0 = x.fma(Halves.evens(q), q0);
            q1 = x.fma(Halves.odds(q), q1);
            r0 = x.fma(Halves.evens(r), r0);
            r1 = x.fma(Halves.odds(r), r1);
            s0 = x.fma(Halves.evens(s), s0);
            s1 = x.fma(Halves.odds(s), s1);
        }
        join(p0, p1, sums, to);
        join(q0, q1, sums, to + 2 * V);
        join(r0, r1, sums, to + 4 * V);
        join(s0, s1, sums, to + 6 * V);
    }

    /** Writes 2·V sums in their order. */
    private static void join(FloatVector evens, FloatVector odds, float[] sums, int to) {
        evens.intoArray(sums, to, EVEN, 0);
        odds.intoArray(sums, to + 1, EVEN, 0);
    }
}
