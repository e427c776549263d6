package io.gradus.core.cpu;

import java.lang.foreign.MemorySegment;
import jdk.incubator.vector.IntVector;
import jdk.incubator.vector.VectorMask;

/**
 * Copies a block of a matrix into panels {@code [depth][width]}, the order in which {@link MicroKernel} reads it. A panel holds
 * {@code width} rows of A, or columns of B; along the other axis, k, it is {@code depth} long. What a panel holds beyond the
 * edge of the matrix is anything: it only meets elements of the result that nobody keeps.
 *
 * <p>Where the matrix is contiguous across the panel, each k is a copy. Where it is contiguous along k it has to be turned, a
 * square of vectors at a time.
 */
final class Panels {
    private static final int V = Lanes.COUNT;

    private Panels() {}

    /**
     * Packs a run of panels from a matrix that is contiguous across them: element (k, i) lies at {@code from + k·stride + i}.
     *
     * @param count of rows of A or columns of B; the last panel may be partly filled
     */
    static void copy(
            MemorySegment source, long from, long stride, int depth, int count, int width, float[] panels, int to) {
        int whole = count / width;
        int size = depth * width;
        // A vector may reach beyond its panel's k into the next, which is written after it, and beyond what was asked
        // for
        // in the source; where neither is there, elements go one by one.
        long reach = (whole - 1L) * width + (width + V - 1) / V * V;
        long readable = Math.floorDiv(source.byteSize() / 4 - from - reach, Math.max(1, stride)) + 1;
        int quick = whole == 0 ? 0 : (int) Math.max(0, Math.min(depth - 1, readable));
        for (int i = 0; i < width; i += 2 * V) {
            if (i + V < width) {
                copy2(source, from + i, stride, quick, whole, width, panels, to + i, size);
            } else {
                copy1(source, from + i, stride, quick, whole, width, panels, to + i, size);
            }
        }
        for (int k = quick; k < depth; k++) {
            copyEnd(source, from + k * stride, whole * width, width, panels, to + k * width, size);
        }
        for (int k = 0, at = to + whole * size; k < depth && whole * width < count; k++, at += width) {
            copyEnd(source, from + k * stride + whole * width, count - whole * width, width, panels, at, size);
        }
    }

    /** One vector of each panel, for all k: four k at a time, so that each panel's page is visited less often. */
    private static void copy1(
            MemorySegment source,
            long from,
            long stride,
            int depth,
            int count,
            int width,
            float[] panels,
            int to,
            int size) {
        int k = 0;
        for (; k <= depth - 4; k += 4) {
            long at = from + k * stride;
            int place = to + k * width;
            for (int panel = 0; panel < count; panel++, at += width, place += size) {
                Lanes.load(source, at).intoArray(panels, place);
                Lanes.load(source, at + stride).intoArray(panels, place + width);
                Lanes.load(source, at + 2 * stride).intoArray(panels, place + 2 * width);
                Lanes.load(source, at + 3 * stride).intoArray(panels, place + 3 * width);
            }
        }
        for (; k < depth; k++) {
            for (int panel = 0; panel < count; panel++) {
                Lanes.load(source, from + k * stride + panel * width).intoArray(panels, to + k * width + panel * size);
            }
        }
    }

    /** The same for two vectors. */
    private static void copy2(
            MemorySegment source,
            long from,
            long stride,
            int depth,
            int count,
            int width,
            float[] panels,
            int to,
            int size) {
        int k = 0;
        for (; k <= depth - 4; k += 4) {
            long at = from + k * stride;
            int place = to + k * width;
            for (int panel = 0; panel < count; panel++, at += width, place += size) {
                Lanes.load(source, at).intoArray(panels, place);
                Lanes.load(source, at + V).intoArray(panels, place + V);
                Lanes.load(source, at + stride).intoArray(panels, place + width);
                Lanes.load(source, at + stride + V).intoArray(panels, place + width + V);
                Lanes.load(source, at + 2 * stride).intoArray(panels, place + 2 * width);
                Lanes.load(source, at + 2 * stride + V).intoArray(panels, place + 2 * width + V);
                Lanes.load(source, at + 3 * stride).intoArray(panels, place + 3 * width);
                Lanes.load(source, at + 3 * stride + V).intoArray(panels, place + 3 * width + V);
            }
        }
        for (; k < depth; k++) {
            for (int panel = 0; panel < count; panel++) {
                long at = from + k * stride + panel * width;
                int place = to + k * width + panel * size;
                Lanes.load(source, at).intoArray(panels, place);
                Lanes.load(source, at + V).intoArray(panels, place + V);
            }
        }
    }

    private static void copyEnd(
            MemorySegment source, long from, int count, int width, float[] panels, int to, int size) {
        for (int i = 0; i < count; i++) {
            panels[to + i / width * size + i % width] = CpuStorage.get(source, from + i);
        }
    }

    /**
     * Packs one panel from a matrix that is contiguous along k: element (k, i) lies at {@code from + i·stride + k}.
     *
     * @param count of rows of A or columns of B, {@code width} at most
     * @param square of 2·V·V floats, to work in
     */
    static void turn(
            MemorySegment source,
            long from,
            long stride,
            int depth,
            int count,
            int width,
            float[] panel,
            int to,
            float[] square) {
        int whole = depth / V * V;
        for (int k = 0; k < whole; k += V) {
            for (int i = 0; i < count; i += V) {
                turnFours(source, from + i * stride + k, stride, Math.min(V, count - i), square);
                if (i + V <= width) {
                    finish(square, panel, to + k * width + i, width);
                } else {
                    finish(square, square, V * V, V);
                    copyRows(square, panel, to + k * width + i, width, width - i);
                }
            }
        }
        for (int k = whole; k < depth; k++) {
            for (int i = 0; i < count; i++) {
                panel[to + k * width + i] = CpuStorage.get(source, from + i * stride + k);
            }
        }
    }

    // ---- turning a square of V rows: they become columns ----
    //
    // Blocks of d by d change places across the diagonal, for d = 1, 2, 4, 8: rows i and i + d exchange the lanes in
    // which
    // bit d of the lane's number differs from that of the row's. Two such steps at a time join four rows in registers.

    private static final IntVector UPPER_1 = lanes(1, false);
    private static final IntVector LOWER_1 = lanes(1, true);
    private static final IntVector UPPER_2 = lanes(2, false);
    private static final IntVector LOWER_2 = lanes(2, true);
    private static final IntVector UPPER_4 = lanes(4, false);
    private static final IntVector LOWER_4 = lanes(4, true);
    private static final IntVector UPPER_8 = lanes(8, false);
    private static final IntVector LOWER_8 = lanes(8, true);

    /** For each lane of the upper or lower row of a pair, which of the pair's lanes it takes: V and above are the lower's. */
    private static IntVector lanes(int d, boolean lower) {
        int[] from = new int[V];
        for (int lane = 0; lane < V; lane++) {
            int own = lower ? lane | d : lane & ~d;
            from[lane] = (lane & d) == 0 ? own % V : own % V + V;
        }
        return IntVector.fromArray(Lanes.INTS, from, 0);
    }

    /** Steps 1 and 2, on the way from memory to the square. Rows that are not there repeat the last. */
    private static void turnFours(MemorySegment source, long from, long stride, int rows, float[] square) {
        for (int i = 0; i < rows; i += 4) {
            long last = rows - 1;
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

    /** The remaining steps, on the way from the square to where its rows belong. */
    private static void finish(float[] square, float[] target, int to, int stride) {
        for (int i = 0; i < 4; i++) {
            if (V == 16) {
                turnSixteen(square, i, target, to + i * stride, 4 * stride);
            } else if (V == 8) {
                turnEight(square, i, target, to + i * stride, 4 * stride);
            } else {
                Lanes.load(square, i * V).intoArray(target, to + i * stride);
            }
        }
    }

    /** The first elements of each turned row. */
    private static void copyRows(float[] square, float[] panel, int to, int stride, int count) {
        VectorMask<Float> lanes = Lanes.first(count);
        for (int row = 0; row < V; row++) {
            Lanes.load(square, (V + row) * V).intoArray(panel, to + row * stride, lanes);
        }
    }

    /** Step 4 for rows i and i + 4. */
    private static void turnEight(float[] square, int i, float[] target, int to, int stride) {
        IntVector r0 = Lanes.load(square, i * V).reinterpretAsInts();
        IntVector r4 = Lanes.load(square, (i + 4) * V).reinterpretAsInts();
        UPPER_4.selectFrom(r0, r4).reinterpretAsFloats().intoArray(target, to);
        LOWER_4.selectFrom(r0, r4).reinterpretAsFloats().intoArray(target, to + stride);
    }

    /** Steps 4 and 8 for rows i, i + 4, i + 8 and i + 12. */
    private static void turnSixteen(float[] square, int i, float[] target, int to, int stride) {
        IntVector r0 = Lanes.load(square, i * V).reinterpretAsInts();
        IntVector r4 = Lanes.load(square, (i + 4) * V).reinterpretAsInts();
        IntVector r8 = Lanes.load(square, (i + 8) * V).reinterpretAsInts();
        IntVector r12 = Lanes.load(square, (i + 12) * V).reinterpretAsInts();
        IntVector s0 = UPPER_4.selectFrom(r0, r4);
        IntVector s4 = LOWER_4.selectFrom(r0, r4);
        IntVector s8 = UPPER_4.selectFrom(r8, r12);
        IntVector s12 = LOWER_4.selectFrom(r8, r12);
        UPPER_8.selectFrom(s0, s8).reinterpretAsFloats().intoArray(target, to);
        UPPER_8.selectFrom(s4, s12).reinterpretAsFloats().intoArray(target, to + stride);
        LOWER_8.selectFrom(s0, s8).reinterpretAsFloats().intoArray(target, to + 2 * stride);
        LOWER_8.selectFrom(s4, s12).reinterpretAsFloats().intoArray(target, to + 3 * stride);
    }
}
