package io.gradus.core;

import java.util.EnumMap;
import java.util.Map;

/**
 * Counts the bytes of one device by {@link MemoryCategory}: those alive now, and the most that were alive at once since
 * the last {@link #resetPeak()}. Thread-safe.
 */
@SuppressWarnings("EnumOrdinal") // arrays by category: each allocation comes through here
public final class MemoryLedger {
    private static final MemoryCategory[] CATEGORIES = MemoryCategory.values();

    private final long[] live = new long[CATEGORIES.length];
    private final long[] atPeak = new long[CATEGORIES.length];
    private long total;
    private long peak;
    /** Whether the peak is now, and {@link #atPeak} not yet written. */
    private boolean rising = true;

    synchronized void add(MemoryCategory category, long bytes) {
        live[category.ordinal()] += bytes;
        total += bytes;
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

    /** Bytes alive now in all categories. */
    public synchronized long live() {
        return total;
    }

    /** Bytes alive now in one category. */
    public synchronized long live(MemoryCategory category) {
        return live[category.ordinal()];
    }

    /** The most bytes that were alive at once. */
    public synchronized long peak() {
        return peak;
    }

    /** What each category held at the moment of the {@link #peak()}; the values add up to it. */
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

    /** Starts a new measurement: the peak becomes what is alive now. */
    public synchronized void resetPeak() {
        peak = total;
        rising = true;
    }
}
