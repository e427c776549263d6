package io.gradus.core.cpu;

import java.lang.foreign.MemorySegment;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.IntVector;

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
     * Packs a run of panels from a matrix that is contiguous along k: element (k, i) lies at {@code from + i·stride + k}.
     *
     * @param height of the last panel, which may be lower than {@code width}; only rows below {@code count} are read
     * @param square of V·V floats, to work in
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
            // From the right: what a vector writes beyond the panel belongs to the next k, whose left comes later.
            for (int i = (count - 1) / V * V; i >= 0; i -= V) {
                int rows = Math.min(V, count - i);
                gather(source, from + i * stride + k, stride, rows, square);
                turn(square);
                boolean last = k + V == depth && i + V > width;
                scatter(square, last ? V - 1 : V, panel, to + k * width + i, width);
                if (last) {
                    System.arraycopy(square, (V - 1) * V, panel, to + (k + V - 1) * width + i, width - i);
                }
            }
        }
        for (int k = whole; k < depth; k++) {
            for (int i = 0; i < count; i++) {
                panel[to + k * width + i] = CpuStorage.get(source, from + i * stride + k);
            }
        }
    }

    private static void gather(MemorySegment source, long from, long stride, int rows, float[] square) {
        for (int i = 0; i < rows; i++) {
            Lanes.load(source, from + i * stride).intoArray(square, i * V);
        }
    }

    private static void scatter(float[] square, int rows, float[] panel, int to, int stride) {
        for (int i = 0; i < rows; i++) {
            Lanes.load(square, i * V).intoArray(panel, to + i * stride);
        }
    }

    // ---- turning a square: rows become columns ----
    //
    // Blocks of d by d change places across the diagonal, for d = 1, 2, 4, …: rows i and i + d exchange the lanes in
    // which bit d of the lane's number differs from that of the row's.

    private static final IntVector UPPER_1 = lanes(1, false);
    private static final IntVector LOWER_1 = lanes(1, true);
    private static final IntVector UPPER_2 = lanes(2, false);
    private static final IntVector LOWER_2 = lanes(2, true);
    private static final IntVector UPPER_4 = lanes(4, false);
    private static final IntVector LOWER_4 = lanes(4, true);
    private static final IntVector UPPER_8 = lanes(8, false);
    private static final IntVector LOWER_8 = lanes(8, true);

    private static void turn(float[] square) {
        exchange(square, 1, UPPER_1, LOWER_1);
        exchange(square, 2, UPPER_2, LOWER_2);
        if (V > 4) {
            exchange(square, 4, UPPER_4, LOWER_4);
        }
        if (V > 8) {
            exchange(square, 8, UPPER_8, LOWER_8);
        }
    }

    /** For each lane of the upper or lower row of a pair, which of the pair's lanes it takes: V and above are the lower's. */
    private static IntVector lanes(int d, boolean lower) {
        int[] from = new int[V];
        for (int lane = 0; lane < V; lane++) {
            int own = lower ? lane | d : lane & ~d;
            from[lane] = (lane & d) == 0 ? own % V : own % V + V;
        }
        return IntVector.fromArray(Lanes.INTS, from, 0);
    }

    private static void exchange(float[] square, int d, IntVector upper, IntVector lower) {
        for (int block = 0; block < V; block += 2 * d) {
            for (int i = block * V; i < (block + d) * V; i += V) {
                IntVector a = FloatVector.fromArray(Lanes.FLOATS, square, i).reinterpretAsInts();
                IntVector b =
                        FloatVector.fromArray(Lanes.FLOATS, square, i + d * V).reinterpretAsInts();
                upper.selectFrom(a, b).reinterpretAsFloats().intoArray(square, i);
                lower.selectFrom(a, b).reinterpretAsFloats().intoArray(square, i + d * V);
            }
        }
    }
}
