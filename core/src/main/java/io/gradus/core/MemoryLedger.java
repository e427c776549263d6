package io.gradus.core;

import java.util.EnumMap;
import java.util.Map;

/**
 * Counts the bytes in use on one device by {@link MemoryCategory}, and their peak since the last {@link #resetPeak()}.
 * Thread-safe.
 */
@SuppressWarnings("EnumOrdinal") // arrays by category: each allocation comes through here
public final class MemoryLedger {
    private static final MemoryCategory[] CATEGORIES = MemoryCategory.values();

    private final long[] live = new long[CATEGORIES.length];
    private final long[] atPeak = new long[CATEGORIES.length];
    private long total;
    private long peak;
    /** Whether usage is at its peak now, so that {@link #atPeak} has not been written yet. */
    private boolean rising = true;

    /** @throws ArithmeticException if a long cannot count all bytes, as on a device that only counts them */
    synchronized void add(MemoryCategory category, long bytes) {
        total = Math.addExact(total, bytes);
        live[category.ordinal()] += bytes;
        if (total > peak) {
            peak = total;
            rising = true;
        }
    }

    synchronized void remove(MemoryCategory category, long bytes) {
        if (rising && bytes > 0) {
            System.arraycopy(live, 0, atPeak, 0, live.length);
            rising = false;
        }
        live[category.ordinal()] -= bytes;
        total -= bytes;
    }

    /** Bytes in use, in all categories. */
    public synchronized long live() {
        return total;
    }

    /** Bytes in use in one category. */
    public synchronized long live(MemoryCategory category) {
        return live[category.ordinal()];
    }

    /** The most bytes that were in use at once. */
    public synchronized long peak() {
        return peak;
    }

    /** The bytes of each category at the {@link #peak()}; they add up to it. */
    public synchronized Map<MemoryCategory, Long> atPeak() {
        Map<MemoryCategory, Long> bytes = new EnumMap<>(MemoryCategory.class);
        for (MemoryCategory category : CATEGORIES) {
            long held = (rising ? live : atPeak)[category.ordinal()];
            if (held > 0) {
                bytes.put(category, held);
            }
        }
        return Map.copyOf(bytes);
    }

    /** Starts a new measurement: sets the peak to the bytes in use. */
    public synchronized void resetPeak() {
        peak = total;
        rising = true;
    }
}
