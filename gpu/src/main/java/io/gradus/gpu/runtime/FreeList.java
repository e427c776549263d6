package io.gradus.gpu.runtime;

import java.util.Map;
import java.util.TreeMap;

/**
 * Which parts of an array are free: the first hole that is large enough is taken, and a part given back joins its
 * neighbours. Not synchronised.
 */
final class FreeList {
    /** Parts begin at multiples of so many elements: 128 bytes of F32, what a GPU reads at once. */
    static final int ALIGNMENT = 32;

    /** The length of each hole by where it begins. */
    private final TreeMap<Integer, Integer> holes = new TreeMap<>();

    /** From {@code from} (inclusive) to {@code to} (exclusive) everything is free. */
    FreeList(int from, int to) {
        holes.put(from, to - from);
    }

    /** Where a part of so many elements begins, or −1 when no hole is large enough. */
    int take(int length) {
        int rounded = rounded(length);
        for (Map.Entry<Integer, Integer> hole : holes.entrySet()) {
            int from = hole.getKey();
            int left = hole.getValue() - rounded;
            if (left >= 0) {
                holes.remove(from);
                if (left > 0) {
                    holes.put(from + rounded, left);
                }
                return from;
            }
        }
        return -1;
    }

    /** Gives back what {@link #take} gave. */
    void give(int from, int length) {
        int begin = from;
        int end = from + rounded(length);
        Map.Entry<Integer, Integer> before = holes.lowerEntry(from);
        if (before != null && before.getKey() + before.getValue() == from) {
            begin = before.getKey();
        }
        Integer after = holes.remove(end);
        if (after != null) {
            end += after;
        }
        holes.put(begin, end - begin);
    }

    /** Elements in all holes. */
    long free() {
        return holes.values().stream().mapToLong(Integer::longValue).sum();
    }

    /** Elements in the largest hole. */
    int largest() {
        return holes.values().stream().mapToInt(Integer::intValue).max().orElse(0);
    }

    private static int rounded(int length) {
        return Math.max(ALIGNMENT, Math.ceilDiv(length, ALIGNMENT) * ALIGNMENT);
    }
}
