package io.gradus.core.cpu.vector.reduction;

import io.gradus.core.cpu.common.CpuStorage;
import io.gradus.core.cpu.scalar.Reducer;
import io.gradus.core.cpu.vector.DoubleLanes;
import io.gradus.core.cpu.vector.Lanes;
import java.lang.foreign.MemorySegment;
import jdk.incubator.vector.DoubleVector;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.VectorOperators;

/**
 * The loops of {@link Reduction} for one {@link Reducer}. Eight floats at a time are added as a tree, and their sums in double, so
 * that long sums are as accurate as short ones. ({@code reduceLanes} does not specify the order of sums.)
 */
enum VectorReducer {
    SUM(Reducer.SUM) {
        @Override
        double run(MemorySegment memory, long at, long length) {
            return sum(memory, at, length);
        }

        @Override
        void row(double[] totals, MemorySegment memory, long at, int width) {
            addRow(totals, memory, at, width);
        }

        @Override
        void rows(double[] totals, MemorySegment memory, long[] at, int width) {
            addRows(totals, memory, at, width);
        }
    },
    /** NaN if one is NaN. */
    MAX(Reducer.MAX) {
        @Override
        double run(MemorySegment memory, long at, long length) {
            return max(memory, at, length);
        }

        @Override
        void row(double[] totals, MemorySegment memory, long at, int width) {
            maxRow(totals, memory, at, width);
        }

        @Override
        void rows(double[] totals, MemorySegment memory, long[] at, int width) {
            for (long row : at) {
                maxRow(totals, memory, row, width);
            }
        }
    };

    /** Rows that {@link #rows} reads at once: as many streams as the hardware prefetches. */
    static final int ROWS = 8;

    private final Reducer fold;

    VectorReducer(Reducer fold) {
        this.fold = fold;
    }

    double identity() {
        return fold.identity();
    }

    double pair(double a, double b) {
        return fold.pair(a, b);
    }

    /** The reduction of {@code length} elements starting at {@code at}. */
    abstract double run(MemorySegment memory, long at, long length);

    /** Combines element {@code at + i} with total i. */
    abstract void row(double[] totals, MemorySegment memory, long at, int width);

    /** The same for {@link #ROWS} rows. */
    abstract void rows(double[] totals, MemorySegment memory, long[] at, int width);

    // The trees are written inline, because C2 does not always inline a method with eight loads.
    private static FloatVector pair(MemorySegment memory, long a, long b) {
        return Lanes.load(memory, a).add(Lanes.load(memory, b));
    }

    private static double sum(MemorySegment memory, long from, long length) {
        int lanes = Lanes.COUNT;
        long trees = from + length - length % (8 * lanes);
        double total = trees == from ? 0 : sumOfTrees(memory, from, trees);
        long at = trees;
        long end = from + length;
        FloatVector rest = Lanes.zero();
        for (; at <= end - lanes; at += lanes) {
            rest = rest.add(Lanes.load(memory, at));
        }
        if (at > trees) {
            total += Lanes.sum(rest);
        }
        for (; at < end; at++) {
            total += CpuStorage.get(memory, at);
        }
        return total;
    }

    private static double sumOfTrees(MemorySegment memory, long from, long to) {
        long c = Lanes.COUNT;
        DoubleVector lower = DoubleLanes.zero();
        DoubleVector upper = DoubleLanes.zero();
        for (long i = from; i < to; i += 8 * c) {
            FloatVector four = pair(memory, i, i + c).add(pair(memory, i + 2 * c, i + 3 * c));
            FloatVector eight = four.add(pair(memory, i + 4 * c, i + 5 * c).add(pair(memory, i + 6 * c, i + 7 * c)));
            lower = lower.add(DoubleLanes.lower(eight));
            upper = upper.add(DoubleLanes.upper(eight));
        }
        return DoubleLanes.sum(lower.add(upper));
    }

    /** The sum of the squares of {@code length} elements, in double. */
    static double sumOfSquares(MemorySegment memory, long from, long length) {
        int lanes = Lanes.COUNT;
        DoubleVector a = DoubleLanes.zero();
        DoubleVector b = DoubleLanes.zero();
        DoubleVector c = DoubleLanes.zero();
        DoubleVector d = DoubleLanes.zero();
        long at = from;
        long end = from + length;
        for (; at <= end - 2 * lanes; at += 2 * lanes) {
            FloatVector first = Lanes.load(memory, at);
            FloatVector second = Lanes.load(memory, at + lanes);
            DoubleVector w = DoubleLanes.lower(first);
            DoubleVector x = DoubleLanes.upper(first);
            DoubleVector y = DoubleLanes.lower(second);
            DoubleVector z = DoubleLanes.upper(second);
            a = w.fma(w, a);
            b = x.fma(x, b);
            c = y.fma(y, c);
            d = z.fma(z, d);
        }
        double total = at == from ? 0 : DoubleLanes.sum(a.add(b).add(c.add(d)));
        for (; at < end; at++) {
            double value = CpuStorage.get(memory, at);
            total += value * value;
        }
        return total;
    }

    private static double max(MemorySegment memory, long from, long length) {
        int lanes = Lanes.COUNT;
        FloatVector a = Lanes.broadcast(Float.NEGATIVE_INFINITY);
        FloatVector b = a;
        long at = from;
        long end = from + length;
        for (; at <= end - 2 * lanes; at += 2 * lanes) {
            a = a.max(Lanes.load(memory, at));
            b = b.max(Lanes.load(memory, at + lanes));
        }
        float greatest = a.max(b).reduceLanes(VectorOperators.MAX);
        for (; at < end; at++) {
            greatest = Math.max(greatest, CpuStorage.get(memory, at));
        }
        return greatest;
    }

    private static void addRow(double[] totals, MemorySegment memory, long at, int width) {
        int i = 0;
        for (; i <= width - Lanes.COUNT; i += Lanes.COUNT) {
            add(Lanes.load(memory, at + i), totals, i);
        }
        for (; i < width; i++) {
            totals[i] += CpuStorage.get(memory, at + i);
        }
    }

    private static void add(FloatVector terms, double[] totals, int i) {
        int half = i + DoubleLanes.COUNT;
        DoubleLanes.load(totals, i).add(DoubleLanes.lower(terms)).intoArray(totals, i);
        DoubleLanes.load(totals, half).add(DoubleLanes.upper(terms)).intoArray(totals, half);
    }

    private static void maxRow(double[] totals, MemorySegment memory, long at, int width) {
        int i = 0;
        for (; i <= width - Lanes.COUNT; i += Lanes.COUNT) {
            FloatVector elements = Lanes.load(memory, at + i);
            int half = i + DoubleLanes.COUNT;
            DoubleLanes.load(totals, i).max(DoubleLanes.lower(elements)).intoArray(totals, i);
            DoubleLanes.load(totals, half).max(DoubleLanes.upper(elements)).intoArray(totals, half);
        }
        for (; i < width; i++) {
            totals[i] = Math.max(totals[i], CpuStorage.get(memory, at + i));
        }
    }

    private static void addRows(double[] totals, MemorySegment memory, long[] at, int width) {
        int whole = width - width % Lanes.COUNT;
        addRows(totals, memory, at[0], at[1], at[2], at[3], at[4], at[5], at[6], at[7], whole);
        for (int i = whole; i < width; i++) {
            double total = totals[i];
            for (long row : at) {
                total += CpuStorage.get(memory, row + i);
            }
            totals[i] = total;
        }
    }

    private static void addRows(
            double[] totals,
            MemorySegment memory,
            long a,
            long b,
            long c,
            long d,
            long e,
            long f,
            long g,
            long h,
            int width) {
        for (int i = 0; i < width; i += Lanes.COUNT) {
            FloatVector four = pair(memory, a + i, b + i).add(pair(memory, c + i, d + i));
            FloatVector eight = four.add(pair(memory, e + i, f + i).add(pair(memory, g + i, h + i)));
            add(eight, totals, i);
        }
    }
}
