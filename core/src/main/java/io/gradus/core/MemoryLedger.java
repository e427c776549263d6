package io.gradus.core;

import java.util.EnumMap;
import java.util.Map;

/**
 * Counts the bytes in use on one device by {@link MemoryCategory}, and their peak since the last {@link #resetPeak()}. On devices
 * that keep freed memory for reuse it also counts the bytes held. Thread-safe.
 */
@SuppressWarnings("EnumOrdinal") // arrays by category: each allocation comes through here
public final class MemoryLedger {
    private static final MemoryCategory[] CATEGORIES = MemoryCategory.values();

    private final long[] live = new long[CATEGORIES.length];
    private final long[] atPeak = new long[CATEGORIES.length];
    private long total;
    private long peak;
    private long held;
    private long heldPeak;
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

    /** Counts memory that a device obtained from the system. */
    public synchronized void hold(long bytes) {
        held = Math.addExact(held, bytes);
        heldPeak = Math.max(heldPeak, held);
    }

    /** Counts memory that a device returned to the system. */
    public synchronized void giveBack(long bytes) {
        held -= bytes;
    }

    /** Bytes that the device holds, in use or kept for reuse. 0 on devices that do not count them. */
    public synchronized long held() {
        return held;
    }

    /**
     * The most bytes that the device held at once, in use or kept for reuse. 0 on devices that do not count them.
     */
    public synchronized long heldPeak() {
        return heldPeak;
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

    /** Starts a new measurement: sets the peaks to the bytes in use and to those held. */
    public synchronized void resetPeak() {
        peak = total;
        heldPeak = held;
        rising = true;
    }
}
