package io.gradus.core.cpu;

import java.lang.foreign.MemorySegment;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.VectorMask;

/**
 * Softmax of rows of one to four vectors: four vectors each, with no loop over a row. The first begins with the row and the
 * last ends with it; those between begin where they would in a longer row or, at the latest, with the last. Lanes that two have
 * in common belong to the first of them, so that no access to memory needs a mask.
 */
final class ShortRows {
    private static final int COUNT = Lanes.COUNT;

    private static final Loop[] LOOPS = Loop.values();

    private ShortRows() {}

    static boolean areShort(long n) {
        return n >= COUNT && n <= 4 * COUNT;
    }

    /**
     * The loops of {@link #softmax}, each over all rows of a group. They are called through this type because C2 cannot tell
     * which comes and so compiles each apart; together in one method they are more than it inlines, and a vector operation
     * that it does not inline makes objects.
     */
    private enum Loop {
        MAXIMA {
            @Override
            void run(MemorySegment x, float[] values, float[] factors, MemorySegment y, long n, long from, long to) {
                maxima(x, factors, n, from, to);
            }
        },
        EXP {
            @Override
            void run(MemorySegment x, float[] values, float[] factors, MemorySegment y, long n, long from, long to) {
                exp(x, factors, values, n, from, to);
            }
        },
        SUMS {
            @Override
            void run(MemorySegment x, float[] values, float[] factors, MemorySegment y, long n, long from, long to) {
                reciprocalSums(values, factors, n, (int) (to - from));
            }
        },
        SCALE {
            @Override
            void run(MemorySegment x, float[] values, float[] factors, MemorySegment y, long n, long from, long to) {
                scale(values, factors, y, n, from, to);
            }
        };

        abstract void run(
                MemorySegment x, float[] values, float[] factors, MemorySegment y, long n, long from, long to);
    }

    /** Softmax of a group of rows, one small loop over all of them after another. */
    static void softmax(MemorySegment x, MemorySegment y, long n, long from, long to) {
        int rows = (int) (to - from);
        float[] values = Scratch.ofThread().floats(0, rows * 4 * COUNT);
        float[] factors = Scratch.ofThread().floats(1, rows);
        for (Loop loop : LOOPS) {
            loop.run(x, values, factors, y, n, from, to);
        }
    }

    private static void maxima(MemorySegment x, float[] maxima, long n, long from, long to) {
        long at1 = second(n);
        long at2 = third(n);
        long at3 = n - COUNT;
        int row = 0;
        for (long i = from * n; i < to * n; i += n) {
            FloatVector max01 = Lanes.greater(Lanes.load(x, i), Lanes.load(x, i + at1));
            FloatVector max23 = Lanes.greater(Lanes.load(x, i + at2), Lanes.load(x, i + at3));
            // A NaN is passed over or becomes the maximum; either way it and the row's sum are NaN.
            maxima[row++] = Lanes.max(Lanes.greater(max01, max23));
        }
    }

    /** {@code exp(x − max)}, to an array: {@code y} may be {@code x}, and vectors have lanes in common. */
    private static void exp(MemorySegment x, float[] maxima, float[] values, long n, long from, long to) {
        int out = 0;
        int row = 0;
        for (long i = from * n; i < to * n; i += n) {
            FloatVector max = Lanes.broadcast(maxima[row++]);
            for (int at = 0; at < 4 * COUNT; at += COUNT) {
                FloatVector shifted = Lanes.load(x, i + Math.min(at, n - COUNT)).sub(max);
                Lanes.store(VectorMath.expOfNonPositive(shifted), values, out + at);
            }
            out += 4 * COUNT;
        }
    }

    private static void reciprocalSums(float[] values, float[] factors, long n, int rows) {
        VectorMask<Float> own1 = Lanes.first(COUNT - second(n)).not();
        VectorMask<Float> own2 = Lanes.first(2 * COUNT - third(n)).not();
        VectorMask<Float> own3 = Lanes.first(3 * COUNT - (n - COUNT)).not();
        FloatVector zero = Lanes.zero();
        for (int row = 0; row < rows; row++) {
            int i = row * 4 * COUNT;
            FloatVector sum01 = Lanes.load(values, i).add(zero.blend(Lanes.load(values, i + COUNT), own1));
            FloatVector exp2 = zero.blend(Lanes.load(values, i + 2 * COUNT), own2);
            FloatVector exp3 = zero.blend(Lanes.load(values, i + 3 * COUNT), own3);
            factors[row] = 1 / Lanes.sum(sum01.add(exp2.add(exp3)));
        }
    }

    private static void scale(float[] values, float[] factors, MemorySegment y, long n, long from, long to) {
        int in = 0;
        int row = 0;
        for (long i = from * n; i < to * n; i += n) {
            FloatVector factor = Lanes.broadcast(factors[row++]);
            for (int at = 0; at < 4 * COUNT; at += COUNT) {
                Lanes.store(Lanes.load(values, in + at).mul(factor), y, i + Math.min(at, n - COUNT));
            }
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

    /** Where in a row its second vector begins. */
    private static long second(long n) {
        return Math.min(COUNT, n - COUNT);
    }

    /** Where in a row its third vector begins. */
    private static long third(long n) {
        return Math.min(2 * COUNT, n - COUNT);
    }
}
