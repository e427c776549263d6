package io.gradus.core.cpu.vector.gemm;

import io.gradus.core.cpu.common.CpuStorage;
import io.gradus.core.cpu.vector.Lanes;
import java.lang.foreign.MemorySegment;
import java.util.function.IntPredicate;
import java.util.stream.IntStream;
import jdk.incubator.vector.IntVector;

/**
 * Packs a block of a matrix into panels {@code [depth][width]}, in the order in which {@link MicroKernel} reads it. A panel has
 * {@code width} rows of A or columns of B, and {@code depth} elements along k. Elements beyond the edge of the matrix are
 * undefined; they affect only parts of tiles that are discarded.
 *
 * <p>If the matrix is contiguous across the panel, each k is a copy; if it is contiguous along k, it is transposed. Each case has two
 * versions: for columns, whose panels are whole vectors wide, and for rows, since six of them do not fill a vector.
 */
final class Panels {
    private static final int V = Lanes.COUNT;

    /** The number of floats in a square of vectors. */
    static final int SQUARE = V * V;

    private Panels() {}

    /**
     * Copies the elements of columns from k = {@code start}, where vectors would exceed the memory; (k, i) is at
     * {@code k·kStride + i·iStride}.
     */
    private static void oneByOne(
            MemorySegment source,
            long from,
            long kStride,
            long iStride,
            int start,
            int depth,
            int count,
            int width,
            MemorySegment panels,
            long to) {
        for (int k = start; k < depth; k++) {
            for (int i = 0; i < count; i++) {
                float element = CpuStorage.get(source, from + k * kStride + i * iStride);
                CpuStorage.set(panels, to + place(k, i, depth, width), element);
            }
        }
    }

    /** The same for rows. */
    private static void oneByOne(
            MemorySegment source,
            long from,
            long kStride,
            long iStride,
            int start,
            int depth,
            int count,
            float[] panels,
            int to) {
        for (int k = start; k < depth; k++) {
            for (int i = 0; i < count; i++) {
                float element = CpuStorage.get(source, from + k * kStride + i * iStride);
                panels[to + place(k, i, depth, 6)] = element;
            }
        }
    }

    private static int place(int k, int i, int depth, int width) {
        return i / width * width * depth + k * width + i % width;
    }

    // ---- copying rows ----

    /** The number of k copied per panel: long enough for a fast loop. */
    private static final int ROWS_AT_A_TIME = 32;

    /**
     * Packs a run of panels whose width is a multiple of 2·V from a matrix that is contiguous across them: element (k, i) is
     * at {@code from + k·stride + i}.
     *
     * @param count the number of columns of B; the last panel may be partial
     */
    static void copy(
            MemorySegment source,
            long from,
            long stride,
            int depth,
            int count,
            int width,
            MemorySegment panels,
            long to) {
        int parts = (count + width - 1) / width;
        int quick = readable(source, from, stride, depth, (long) parts * width);
        for (int k = 0; k < quick; k += ROWS_AT_A_TIME) {
            int rows = Math.min(ROWS_AT_A_TIME, quick - k);
            for (int i = 0; i < parts * width; i += 2 * V) {
                long place = to + i / width * width * depth + i % width + k * width;
                copyTwo(source, from + k * stride + i, stride, rows, panels, place, width);
            }
        }
        oneByOne(source, from, stride, 1, quick, depth, count, width, panels, to);
    }

    /** Two vectors of each row. */
    private static void copyTwo(
            MemorySegment source, long from, long stride, int rows, MemorySegment panel, long to, int width) {
        for (int k = 0; k < rows; k++) {
            Lanes.store(Lanes.load(source, from + k * stride), panel, to + k * width);
            Lanes.store(Lanes.load(source, from + k * stride + V), panel, to + k * width + V);
        }
    }

    /** The number of k for which {@code reach} elements can be read without exceeding the memory. */
    private static int readable(MemorySegment source, long from, long stride, int depth, long reach) {
        long rows = Math.floorDiv(source.byteSize() / 4 - from - reach, Math.max(1, stride)) + 1;
        return Math.clamp(rows, 0, Math.max(0, depth));
    }

    // ---- copying rows of six ----

    /** Panels of six rows that are copied together: as many streams as the processor prefetches, and three vectors of 16. */
    private static final int EIGHT = 8;

    /** Elements read for six elements: whole vectors. */
    private static final int MOVED = Math.max(8, V);

    // Shuffles of vectors of 16; the number is how many elements come from the first of two vectors.
    private static final int[] SPLICE_6 = splice(6, 0);
    private static final int[] SPLICE_12 = splice(12, 0);
    private static final int[] SPLICE_2 = splice(2, 4);
    private static final int[] SPLICE_8 = splice(8, 0);
    private static final int[] SPLICE_4 = splice(4, 2);
    private static final int[] SPLICE_10 = splice(10, 0);

    /** A shuffle of {@code count} lanes of one vector, starting at {@code first}, followed by lanes of another, which are V and above. */
    private static int[] splice(int count, int first) {
        return IntStream.range(0, V)
                .map(lane -> lane < count ? first + lane : V + lane - count)
                .toArray();
    }

    /**
     * Packs a run of panels of six from a matrix that is contiguous across them: element (k, i) is at
     * {@code from + k·stride + i}.
     *
     * @param count the number of rows of A; the last panel may be partial
     */
    static void copySixes(MemorySegment source, long from, long stride, int depth, int count, float[] panels, int to) {
        int parts = (count + 5) / 6;
        // Shorter vectors write elements beyond the six. The next k overwrites them, so the last k comes last.
        int last = V == 16 ? 0 : 1;
        int quick = readable(source, from, stride, depth - last, 6L * parts + MOVED - 6) / EIGHT * EIGHT;
        for (int k = 0; k < quick; k += EIGHT) {
            for (int panel = 0; panel < parts; panel++) {
                long at = from + k * stride + 6 * panel;
                int place = to + 6 * k + panel * 6 * depth;
                if (V == 16) {
                    copyEightBySixteen(source, at, stride, panels, place);
                } else {
                    copyEight(source, at, stride, panels, place);
                }
            }
        }
        oneByOne(source, from, stride, 1, quick, depth, count, panels, to);
    }

    private static void copyEight(MemorySegment source, long from, long stride, float[] panel, int to) {
        for (int k = 0; k < EIGHT; k++) {
            for (int i = 0; i < MOVED; i += V) {
                Lanes.load(source, from + k * stride + i).intoArray(panel, to + 6 * k + i);
            }
        }
    }

    /** Eight times six elements, in three vectors of 16. */
    private static void copyEightBySixteen(MemorySegment source, long from, long stride, float[] panel, int to) {
        IntVector row2 = Lanes.loadInts(source, from + 2 * stride);
        IntVector row5 = Lanes.loadInts(source, from + 5 * stride);
        IntVector of01 = splice(SPLICE_6, Lanes.loadInts(source, from), Lanes.loadInts(source, from + stride));
        IntVector of23 = splice(SPLICE_2, row2, Lanes.loadInts(source, from + 3 * stride));
        IntVector of45 = splice(SPLICE_6, Lanes.loadInts(source, from + 4 * stride), row5);
        IntVector of56 = splice(SPLICE_4, row5, Lanes.loadInts(source, from + 6 * stride));
        IntVector row7 = Lanes.loadInts(source, from + 7 * stride);
        splice(SPLICE_12, of01, row2).reinterpretAsFloats().intoArray(panel, to);
        splice(SPLICE_8, of23, of45).reinterpretAsFloats().intoArray(panel, to + V);
        splice(SPLICE_10, of56, row7).reinterpretAsFloats().intoArray(panel, to + 2 * V);
    }

    private static IntVector splice(int[] lanes, IntVector first, IntVector second) {
        return IntVector.fromArray(Lanes.INTS, lanes, 0).selectFrom(first, second);
    }

    // ---- transposing V lines of columns to rows of the panel ----

    /**
     * Packs a run of panels whose width is a multiple of V from a matrix that is contiguous along k: element (k, i) is at
     * {@code from + i·stride + k}.
     *
     * @param count the number of columns of B; the last panel may be partial
     * @param square scratch of V·V floats
     */
    static void turn(
            MemorySegment source,
            long from,
            long stride,
            int depth,
            int count,
            int width,
            MemorySegment panels,
            long to,
            float[] square) {
        for (int i = 0; i < count; i += V) {
            long place = to + i / width * width * depth + i % width;
            turnLines(source, from + i * stride, stride, depth, Math.min(V, count - i), width, panels, place, square);
        }
    }

    /** Up to V lines along all of k: few enough streams for hardware prefetching. */
    private static void turnLines(
            MemorySegment source,
            long from,
            long stride,
            int depth,
            int lines,
            int width,
            MemorySegment panel,
            long to,
            float[] square) {
        int whole = depth / V * V;
        for (int k = 0; k < whole; k += V) {
            turnFours(source, from + k, stride, lines, square);
            finish(square, panel, to + k * width, width);
        }
        oneByOne(source, from, 1, stride, whole, depth, lines, width, panel, to);
    }

    // Transposes by exchanging blocks of d × d across the diagonal, for d = 1, 2, 4, 8: rows i and i + d exchange the
    // lanes whose index differs from that of the row in bit d. Two such steps at a time combine four rows in registers.

    private static final IntVector UPPER_1 = lanes(1, false);
    private static final IntVector LOWER_1 = lanes(1, true);
    private static final IntVector UPPER_2 = lanes(2, false);
    private static final IntVector LOWER_2 = lanes(2, true);
    private static final IntVector UPPER_4 = lanes(4, false);
    private static final IntVector LOWER_4 = lanes(4, true);
    private static final IntVector UPPER_8 = lanes(8, false);
    private static final IntVector LOWER_8 = lanes(8, true);

    /** For each lane of the upper or lower row of a pair, its source lane in the pair; V and above are in the lower row. */
    private static IntVector lanes(int d, boolean lower) {
        int[] from = new int[V];
        for (int lane = 0; lane < V; lane++) {
            int own = lower ? lane | d : lane & ~d;
            from[lane] = (lane & d) == 0 ? own % V : own % V + V;
        }
        return IntVector.fromArray(Lanes.INTS, from, 0);
    }

    /** Steps 1 and 2, from memory to the square. Missing rows repeat the last. */
    private static void turnFours(MemorySegment source, long from, long stride, int rows, float[] square) {
        for (int i = 0; i < rows; i += 4) {
            long last = rows - 1L;
            IntVector r0 = Lanes.load(source, from + i * stride).reinterpretAsInts();
            IntVector r1 =
                    Lanes.load(source, from + Math.min(i + 1, last) * stride).reinterpretAsInts();
            IntVector r2 =
                    Lanes.load(source, from + Math.min(i + 2, last) * stride).reinterpretAsInts();
            IntVector r3 =
                    Lanes.load(source, from + Math.min(i + 3, last) * stride).reinterpretAsInts();
            IntVector s0 = UPPER_1.selectFrom(r0, r1);
            IntVector s1 = LOWER_1.selectFrom(r0, r1);
            IntVector s2 = UPPER_1.selectFrom(r2, r3);
            IntVector s3 = LOWER_1.selectFrom(r2, r3);
            UPPER_2.selectFrom(s0, s2).reinterpretAsFloats().intoArray(square, i * V);
            UPPER_2.selectFrom(s1, s3).reinterpretAsFloats().intoArray(square, (i + 1) * V);
            LOWER_2.selectFrom(s0, s2).reinterpretAsFloats().intoArray(square, (i + 2) * V);
            LOWER_2.selectFrom(s1, s3).reinterpretAsFloats().intoArray(square, (i + 3) * V);
        }
    }

    /** The remaining steps, from the square to the panel. */
    private static void finish(float[] square, MemorySegment target, long to, int stride) {
        for (int i = 0; i < 4; i++) {
            if (V == 16) {
                turnSixteen(square, i, target, to + (long) i * stride, 4 * stride);
            } else if (V == 8) {
                turnEight(square, i, target, to + (long) i * stride, 4 * stride);
            } else {
                Lanes.store(Lanes.load(square, i * V), target, to + (long) i * stride);
            }
        }
    }

    /** Step 4 for rows i and i + 4. */
    private static void turnEight(float[] square, int i, MemorySegment target, long to, int stride) {
        IntVector r0 = Lanes.load(square, i * V).reinterpretAsInts();
        IntVector r4 = Lanes.load(square, (i + 4) * V).reinterpretAsInts();
        Lanes.store(UPPER_4.selectFrom(r0, r4).reinterpretAsFloats(), target, to);
        Lanes.store(LOWER_4.selectFrom(r0, r4).reinterpretAsFloats(), target, to + stride);
    }

    /** Steps 4 and 8 for rows i, i + 4, i + 8 and i + 12. */
    private static void turnSixteen(float[] square, int i, MemorySegment target, long to, int stride) {
        IntVector r0 = Lanes.load(square, i * V).reinterpretAsInts();
        IntVector r4 = Lanes.load(square, (i + 4) * V).reinterpretAsInts();
        IntVector r8 = Lanes.load(square, (i + 8) * V).reinterpretAsInts();
        IntVector r12 = Lanes.load(square, (i + 12) * V).reinterpretAsInts();
        IntVector s0 = UPPER_4.selectFrom(r0, r4);
        IntVector s4 = LOWER_4.selectFrom(r0, r4);
        IntVector s8 = UPPER_4.selectFrom(r8, r12);
        IntVector s12 = LOWER_4.selectFrom(r8, r12);
        Lanes.store(UPPER_8.selectFrom(s0, s8).reinterpretAsFloats(), target, to);
        Lanes.store(UPPER_8.selectFrom(s4, s12).reinterpretAsFloats(), target, to + stride);
        Lanes.store(LOWER_8.selectFrom(s0, s8).reinterpretAsFloats(), target, to + 2 * stride);
        Lanes.store(LOWER_8.selectFrom(s4, s12).reinterpretAsFloats(), target, to + 3 * stride);
    }

    // ---- transposing six lines of rows ----
    //
    // V elements of each of six lines become six vectors of the panel. Element e = i + 6·k of these is lane k of line
    // i.
    // It is selected from lines 0 and 1, 2 and 3, or 4 and 5, and then from these selections.

    private static final int[] FROM_01 = choices(0);
    private static final int[] FROM_23 = choices(2);
    private static final int[] FROM_45 = choices(4);
    private static final int[] FROM_0123 = choices(e -> e % 6 < 2);
    private static final int[] FROM_ALL = choices(e -> e % 6 < 4);

    /** For each element of the panel, its source lane in two lines; V and above are in the second. */
    private static int[] choices(int first) {
        return IntStream.range(0, 6 * V)
                .map(e -> e / 6 + (e % 6 == first + 1 ? V : 0))
                .toArray();
    }

    /** For each element of the panel, its own lane in the first or the second of two vectors. */
    private static int[] choices(IntPredicate first) {
        return IntStream.range(0, 6 * V)
                .map(e -> e % V + (first.test(e) ? 0 : V))
                .toArray();
    }

    /**
     * Packs a run of panels of six from a matrix that is contiguous along k: element (k, i) is at {@code from + i·stride + k}.
     *
     * @param count the number of rows of A; the last panel may be partial
     */
    static void turnSixes(MemorySegment source, long from, long stride, int depth, int count, float[] panels, int to) {
        int whole = depth / V * V;
        for (int i = 0; i < count; i += 6) {
            long at = from + i * stride;
            int lines = Math.min(6, count - i);
            turnSix(source, at, stride, whole, lines - 1, panels, to + i * depth);
            oneByOne(source, at, 1, stride, whole, depth, lines, panels, to + i * depth);
        }
    }

    /** Missing lines repeat the last. */
    private static void turnSix(
            MemorySegment source, long from, long stride, int depth, int last, float[] panel, int to) {
        long from1 = from + Math.min(1, last) * stride;
        long from2 = from + Math.min(2, last) * stride;
        long from3 = from + Math.min(3, last) * stride;
        long from4 = from + Math.min(4, last) * stride;
        long from5 = from + Math.min(5, last) * stride;
        for (int k = 0; k < depth; k += V) {
            IntVector line0 = Lanes.loadInts(source, from + k), line1 = Lanes.loadInts(source, from1 + k);
            IntVector line2 = Lanes.loadInts(source, from2 + k), line3 = Lanes.loadInts(source, from3 + k);
            IntVector line4 = Lanes.loadInts(source, from4 + k), line5 = Lanes.loadInts(source, from5 + k);
            for (int e = 0; e < 6 * V; e += V) {
                IntVector of01 = IntVector.fromArray(Lanes.INTS, FROM_01, e).selectFrom(line0, line1);
                IntVector of23 = IntVector.fromArray(Lanes.INTS, FROM_23, e).selectFrom(line2, line3);
                IntVector of45 = IntVector.fromArray(Lanes.INTS, FROM_45, e).selectFrom(line4, line5);
                IntVector of0123 = IntVector.fromArray(Lanes.INTS, FROM_0123, e).selectFrom(of01, of23);
                IntVector all = IntVector.fromArray(Lanes.INTS, FROM_ALL, e).selectFrom(of0123, of45);
                all.reinterpretAsFloats().intoArray(panel, to + 6 * k + e);
            }
        }
    }
}
