package io.gradus.gpu.runtime;

import java.util.Map;
import java.util.TreeMap;

/**
 * The free parts of an array. {@link #allocate} uses the first hole that is large enough, and {@link #release} merges a
 * returned part with adjacent holes. Not thread-safe.
 */
final class FreeList {
    /** Parts begin at multiples of this many elements: 128 bytes of F32, which a GPU reads at once. */
    static final int ALIGNMENT = 32;

    /** Maps the start of each hole to its length. */
    private final TreeMap<Integer, Integer> holes = new TreeMap<>();

    /** A list in which everything from {@code from} (inclusive) to {@code to} (exclusive) is free. */
    FreeList(int from, int to) {
        holes.put(from, to - from);
    }

    /** Reserves a part of this length and returns its start, or −1 if no hole is large enough. */
    int allocate(int length) {
        int rounded = rounded(length);
        int from = start(rounded);
        Integer hole = holes.remove(from);
        if (hole != null && hole > rounded) {
            holes.put(from + rounded, hole - rounded);
        }
        return from;
    }

    /** Where the first hole of at least this length begins, or −1. */
    private int start(int rounded) {
        for (Map.Entry<Integer, Integer> hole : holes.entrySet()) {
            if (hole.getValue() >= rounded) {
                return hole.getKey();
            }
        }
        return -1;
    }

    /** Returns a part reserved by {@link #allocate}. */
    void release(int from, int length) {
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

    /** The number of elements in all holes. */
    long free() {
        return holes.values().stream().mapToLong(Integer::longValue).sum();
    }

    /** The number of elements in the largest hole. */
    int largest() {
        return holes.values().stream().mapToInt(Integer::intValue).max().orElse(0);
    }

    private static int rounded(int length) {
        return Math.max(ALIGNMENT, Math.ceilDiv(length, ALIGNMENT) * ALIGNMENT);
    }
}
