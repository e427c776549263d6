package io.gradus.core.cpu.vector.softmax;

import io.gradus.core.cpu.common.Scratch;
import io.gradus.core.cpu.vector.Lanes;
import io.gradus.core.cpu.vector.VectorMath;
import java.lang.foreign.MemorySegment;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.VectorMask;

/**
 * Softmax of rows of one to four vectors, always with four vectors and no loop over a row. The first vector begins with the row,
 * and the last ends with it; those between begin at their usual positions or, at the latest, with the last. If two vectors
 * overlap, the first owns the shared lanes, so that loads and stores need no masks.
 */
final class ShortRowSoftmax {
    private static final int COUNT = Lanes.COUNT;

    private static final Loop[] LOOPS = Loop.values();

    private ShortRowSoftmax() {}

    static boolean areShort(long n) {
        return n >= COUNT && n <= 4 * COUNT;
    }

    /**
     * The loops of {@link #softmax}, each over all rows of a group. They are called through this interface so that C2 compiles each
     * separately. Together in one method they would exceed its inlining limits, and vector operations that are not inlined
     * allocate objects.
     */
    private enum Loop {
        SHIFT {
            @Override
            void run(MemorySegment x, MemorySegment values, MemorySegment y, long n, long from, long to) {
                shift(x, values, n, from, to);
            }
        },
        EXP {
            @Override
            void run(MemorySegment x, MemorySegment values, MemorySegment y, long n, long from, long to) {
                exp(values, (to - from) * 4 * COUNT);
            }
        },
        NORMALIZE {
            @Override
            void run(MemorySegment x, MemorySegment values, MemorySegment y, long n, long from, long to) {
                normalize(values, y, n, from, to);
            }
        };

        abstract void run(MemorySegment x, MemorySegment values, MemorySegment y, long n, long from, long to);
    }

    /** Softmax of a group of rows, in several small loops over all rows. {@code y} may be {@code x}. */
    static void softmax(MemorySegment x, MemorySegment y, long n, long from, long to) {
        MemorySegment values = Scratch.ofThread().memory(0, (to - from) * 4 * COUNT);
        for (Loop loop : LOOPS) {
            loop.run(x, values, y, n, from, to);
        }
    }

    /**
     * {@code x − max}, four vectors per row, outside the heap. Vector constants are float arrays in the heap, and a loop that
     * writes to a float array would reload them each time.
     */
    private static void shift(MemorySegment x, MemorySegment values, long n, long from, long to) {
        long at1 = second(n);
        long at2 = third(n);
        long at3 = n - COUNT;
        long out = 0;
        for (long i = from * n; i < to * n; i += n) {
            FloatVector x0 = Lanes.load(x, i);
            FloatVector x1 = Lanes.load(x, i + at1);
            FloatVector x2 = Lanes.load(x, i + at2);
            FloatVector x3 = Lanes.load(x, i + at3);
            // A NaN is ignored or becomes the maximum; either way its exponential and the row's sum are NaN.
            float max = Lanes.max(Lanes.greater(Lanes.greater(x0, x1), Lanes.greater(x2, x3)));
            Lanes.store(x0.sub(max), values, out);
            Lanes.store(x1.sub(max), values, out + COUNT);
            Lanes.store(x2.sub(max), values, out + 2 * COUNT);
            Lanes.store(x3.sub(max), values, out + 3 * COUNT);
            out += 4 * COUNT;
        }
    }

    private static void exp(MemorySegment values, long count) {
        for (long i = 0; i < count; i += COUNT) {
            Lanes.store(VectorMath.expOfNonPositive(Lanes.load(values, i)), values, i);
        }
    }

    private static void normalize(MemorySegment values, MemorySegment y, long n, long from, long to) {
        long at1 = second(n);
        long at2 = third(n);
        long at3 = n - COUNT;
        VectorMask<Float> own1 = Lanes.first(COUNT - at1).not();
        VectorMask<Float> own2 = Lanes.first(2 * COUNT - at2).not();
        VectorMask<Float> own3 = Lanes.first(3 * COUNT - at3).not();
        long in = 0;
        for (long i = from * n; i < to * n; i += n) {
            FloatVector e0 = Lanes.load(values, in);
            FloatVector e1 = Lanes.load(values, in + COUNT);
            FloatVector e2 = Lanes.load(values, in + 2 * COUNT);
            FloatVector e3 = Lanes.load(values, in + 3 * COUNT);
            FloatVector zero = Lanes.zero();
            FloatVector sum01 = e0.add(zero.blend(e1, own1));
            FloatVector sum23 = zero.blend(e2, own2).add(zero.blend(e3, own3));
            float factor = 1 / Lanes.sum(sum01.add(sum23));
            Lanes.store(e0.mul(factor), y, i);
            Lanes.store(e1.mul(factor), y, i + at1);
            Lanes.store(e2.mul(factor), y, i + at2);
            Lanes.store(e3.mul(factor), y, i + at3);
            in += 4 * COUNT;
        }
    }

    static void softmaxBackward(
            MemorySegment y, MemorySegment dy, MemorySegment dx, boolean accumulate, long n, long from, long to) {
        long at1 = second(n);
        long at2 = third(n);
        long at3 = n - COUNT;
        VectorMask<Float> own1 = Lanes.first(COUNT - at1).not();
        VectorMask<Float> own2 = Lanes.first(2 * COUNT - at2).not();
        VectorMask<Float> own3 = Lanes.first(3 * COUNT - at3).not();
        for (long i = from * n; i < to * n; i += n) {
            FloatVector y0 = Lanes.load(y, i);
            FloatVector y1 = Lanes.load(y, i + at1);
            FloatVector y2 = Lanes.load(y, i + at2);
            FloatVector y3 = Lanes.load(y, i + at3);
            FloatVector dy0 = Lanes.load(dy, i);
            FloatVector dy1 = Lanes.load(dy, i + at1);
            FloatVector dy2 = Lanes.load(dy, i + at2);
            FloatVector dy3 = Lanes.load(dy, i + at3);
            FloatVector products =
                    y0.mul(dy0).add(y1.mul(dy1), own1).add(y2.mul(dy2), own2).add(y3.mul(dy3), own3);
            float dot = Lanes.sum(products);
            FloatVector dx0 = y0.mul(dy0.sub(dot));
            FloatVector dx1 = y1.mul(dy1.sub(dot));
            FloatVector dx2 = y2.mul(dy2.sub(dot));
            FloatVector dx3 = y3.mul(dy3.sub(dot));
            if (accumulate) {
                dx0 = dx0.add(Lanes.load(dx, i));
                dx1 = dx1.add(Lanes.load(dx, i + at1));
                dx2 = dx2.add(Lanes.load(dx, i + at2));
                dx3 = dx3.add(Lanes.load(dx, i + at3));
            }
            Lanes.store(dx0, dx, i);
            Lanes.store(dx1, dx, i + at1);
            Lanes.store(dx2, dx, i + at2);
            Lanes.store(dx3, dx, i + at3);
        }
    }

    /** The start of a row's second vector. */
    private static long second(long n) {
        return Math.min(COUNT, n - COUNT);
    }

    /** The start of a row's third vector. */
    private static long third(long n) {
        return Math.min(2 * COUNT, n - COUNT);
    }
}
