package io.gradus.core.cpu.vector.gemm;

import io.gradus.core.cpu.common.Scratch;
import io.gradus.core.cpu.vector.Halves;
import io.gradus.core.cpu.vector.Lanes;
import java.lang.foreign.MemorySegment;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.IntVector;
import jdk.incubator.vector.VectorMask;
import jdk.incubator.vector.VectorOperators;

/**
 * Rounds operands of a product to BF16, and joins two elements along k in a 32-bit word. A product sums over all k, in any order that
 * both operands share: a word has elements k and k + V, where V is the number of lanes, of each block of 2·V. So two vectors make a
 * vector of words without moving elements between lanes, whether they are parts of one stored row or of two. The last block is
 * filled up with zeros.
 *
 * <p>Rounding is to the nearest BF16, even on a tie. A NaN remains one.
 */
final class Bf16Words {
    private static final int V = Lanes.COUNT;
    private static final int UPPER = 0xFFFF_0000;
    /** The number of words converted at a time, half of a small second-level cache: they are packed next. */
    private static final int WORDS = 1 << 15;

    /** Rows are converted in multiples of this, which {@link Panels} packs together. */
    static final int ROWS = 8 * MicroKernel.ROWS;

    private Bf16Words() {}

    /** The number of words for a length of k. */
    static int count(int depth) {
        return (depth + 2 * V - 1) / (2 * V) * V;
    }

    /** The number of lines to convert at a time if each has this many words: a multiple of {@code unit}. */
    static int linesAtATime(int words, int unit) {
        return Math.max(1, WORDS / Math.max(1, words) / unit) * unit;
    }

    /**
     * The words of lines of a matrix, {@code [line1 − line0, terms · count(depth)]}, in memory of this thread that is valid until the
     * next call. Words lie along k where the elements of the matrix do.
     *
     * @param matrix {@code [lines, k]}
     * @param rest for each of several numbers of each element, which follow one another along k, whether it is the rounded element or
     *     what rounding leaves
     */
    static Matrix of(Matrix matrix, int line0, int line1, int k0, int depth, boolean... rest) {
        Matrix floats = matrix.floats(line0, line1, k0, k0 + depth);
        int lines = line1 - line0;
        int words = count(depth);
        MemorySegment memory = Scratch.ofThread().memory(Scratch.BF16, (long) rest.length * words * lines);
        boolean across = floats.transposed();
        for (int term = 0; term < rest.length; term++) {
            Matrix source = rest[term] ? rest(floats, line0, line1, k0, depth) : floats;
            long from = rest[term] ? 0 : source.place(line0, k0);
            if (across) {
                long to = (long) term * words * lines;
                joinRows(source.memory(), from, source.stride(), depth, lines, memory, to);
            } else {
                for (int line = 0; line < lines; line++) {
                    long to = ((long) line * rest.length + term) * words;
                    joinWithinRow(source.memory(), from + line * source.stride(), depth, memory, to);
                }
            }
        }
        return new Matrix(memory, 0, across ? lines : (long) rest.length * words, across);
    }

    // ---- k along a stored row ----

    private static void joinWithinRow(MemorySegment source, long from, int depth, MemorySegment words, long to) {
        int k = 0;
        for (; k <= depth - 2 * V; k += 2 * V) {
            IntVector lower = Halves.upper(Lanes.loadInts(source, from + k));
            IntVector upper = Halves.upper(Lanes.loadInts(source, from + k + V));
            Lanes.store(join(lower, upper), words, to + k / 2);
        }
        if (k < depth) {
            IntVector lower = Halves.upper(load(source, from + k, Lanes.first(depth - k)));
            IntVector upper = Halves.upper(load(source, from + k + V, Lanes.first(Math.max(0, depth - k - V))));
            Lanes.store(join(lower, upper), words, to + k / 2);
        }
    }

    // ---- k across stored rows ----

    private static void joinRows(
            MemorySegment source, long from, long stride, int depth, int lines, MemorySegment words, long to) {
        for (int word = 0; word < count(depth); word++) {
            int k = word / V * (2 * V) + word % V;
            long row = from + k * stride;
            long place = to + (long) word * lines;
            if (k + V < depth) {
                joinTwo(source, row, row + V * stride, lines, words, place);
            } else if (k < depth) {
                joinOne(source, row, lines, words, place);
            } else {
                words.asSlice(place * 4, lines * 4L).fill((byte) 0);
            }
        }
    }

    private static void joinTwo(
            MemorySegment source, long first, long second, int count, MemorySegment words, long to) {
        int i = 0;
        for (; i <= count - V; i += V) {
            IntVector lower = Halves.upper(Lanes.loadInts(source, first + i));
            IntVector upper = Halves.upper(Lanes.loadInts(source, second + i));
            Lanes.store(join(lower, upper), words, to + i);
        }
        if (i < count) {
            VectorMask<Float> lanes = Lanes.first(count - i);
            IntVector lower = Halves.upper(load(source, first + i, lanes));
            IntVector upper = Halves.upper(load(source, second + i, lanes));
            Lanes.store(join(lower, upper), words, to + i, lanes);
        }
    }

    /** Joins a row with zeros. */
    private static void joinOne(MemorySegment source, long from, int count, MemorySegment words, long to) {
        for (int i = 0; i < count; i += V) {
            VectorMask<Float> lanes = Lanes.first(count - i);
            IntVector lower = Halves.upper(load(source, from + i, lanes));
            Lanes.store(lower.lanewise(VectorOperators.LSHR, 16).reinterpretAsFloats(), words, to + i, lanes);
        }
    }

    private static FloatVector join(IntVector lower, IntVector upper) {
        return lower.lanewise(VectorOperators.LSHR, 16).or(upper.and(UPPER)).reinterpretAsFloats();
    }

    // ---- rounding ----

    /** Lines of a matrix {@code [lines, k]}, each element rounded to BF16, as F32 in memory of this thread. */
    static Matrix rounded(Matrix matrix, int line0, int line1, int k0, int depth) {
        return each(matrix, line0, line1, k0, depth, Scratch.BF16, false);
    }

    /** What rounding leaves of each element. */
    private static Matrix rest(Matrix matrix, int line0, int line1, int k0, int depth) {
        return each(matrix, line0, line1, k0, depth, Scratch.BF16_REST, true);
    }

    private static Matrix each(Matrix matrix, int line0, int line1, int k0, int depth, int slot, boolean rest) {
        Matrix source = matrix.floats(line0, line1, k0, k0 + depth);
        boolean across = source.transposed();
        int rows = across ? depth : line1 - line0;
        int length = across ? line1 - line0 : depth;
        long from = source.place(line0, k0);
        MemorySegment memory = Scratch.ofThread().memory(slot, (long) rows * length);
        for (int row = 0; row < rows; row++) {
            if (rest) {
                rest(source.memory(), from + row * source.stride(), length, memory, (long) row * length);
            } else {
                round(source.memory(), from + row * source.stride(), length, memory, (long) row * length);
            }
        }
        return new Matrix(memory, 0, length, across);
    }

    private static void round(MemorySegment source, long from, int count, MemorySegment target, long to) {
        int i = 0;
        for (; i <= count - V; i += V) {
            Lanes.store(rounded(Lanes.loadInts(source, from + i)), target, to + i);
        }
        if (i < count) {
            VectorMask<Float> lanes = Lanes.first(count - i);
            Lanes.store(rounded(load(source, from + i, lanes)), target, to + i, lanes);
        }
    }

    private static void rest(MemorySegment source, long from, int count, MemorySegment target, long to) {
        int i = 0;
        for (; i <= count - V; i += V) {
            IntVector bits = Lanes.loadInts(source, from + i);
            Lanes.store(bits.reinterpretAsFloats().sub(rounded(bits)), target, to + i);
        }
        if (i < count) {
            VectorMask<Float> lanes = Lanes.first(count - i);
            IntVector bits = load(source, from + i, lanes);
            Lanes.store(bits.reinterpretAsFloats().sub(rounded(bits)), target, to + i, lanes);
        }
    }

    private static FloatVector rounded(IntVector bits) {
        return Halves.upper(bits).and(UPPER).reinterpretAsFloats();
    }

    private static IntVector load(MemorySegment memory, long at, VectorMask<Float> lanes) {
        return Lanes.load(memory, at, lanes).reinterpretAsInts();
    }
}
