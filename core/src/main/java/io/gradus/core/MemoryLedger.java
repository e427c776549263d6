package io.gradus.core;

import java.util.EnumMap;
import java.util.Map;

/**
 * Counts the bytes of one device by {@link MemoryCategory}: those alive now, and the most that were alive at once since
 * the last {@link #resetPeak()}. Thread-safe.
 */
public final class MemoryLedger {
    private final Map<MemoryCategory, Long> live = new EnumMap<>(MemoryCategory.class);
    private Map<MemoryCategory, Long> atPeak = Map.of();
    private long total;
    private long peak;

    synchronized void add(MemoryCategory category, long bytes) {
        live.merge(category, bytes, Long::sum);
        total += bytes;
        if (total > peak) {
            peak = total;
            atPeak = Map.of();
        }
    }

    synchronized void remove(MemoryCategory category, long bytes) {
        if (total == peak && atPeak.isEmpty()) {
            atPeak = new EnumMap<>(live);
        }
        live.merge(category, -bytes, Long::sum);
        total -= bytes;
    }

    /** Bytes alive now in all categories. */
    public synchronized long live() {
        return total;
    }

    /** Bytes alive now in one category. */
    public synchronized long live(MemoryCategory category) {
        return live.getOrDefault(category, 0L);
    }

    /** The most bytes that were alive at once. */
    public synchronized long peak() {
        return peak;
    }

    /** What each category held at the moment of the {@link #peak()}; the values add up to it. */
    public synchronized Map<MemoryCategory, Long> atPeak() {
        return Map.copyOf(atPeak.isEmpty() ? live : atPeak);
    }

    /** Starts a new measurement: the peak becomes what is alive now. */
    public synchronized void resetPeak() {
        peak = total;
        atPeak = Map.of();
    }
}
