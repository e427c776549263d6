package io.gradus.core.cpu;

import io.gradus.core.MemoryCategory;
import io.gradus.core.MemoryLedger;
import io.gradus.core.Storage;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.HashMap;
import java.util.Locale;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * Keeps what scopes give back and hands it out again. A training step asks for the same sizes as the step before it, so from
 * the second step on nothing new is allocated. Memory that is idle beyond what was ever in use at once is left to the garbage
 * collector.
 */
final class CpuMemoryPool {
    /** A cache line, and the widest vector register. */
    private static final long ALIGNMENT = 64;

    private final MemoryLedger ledger;
    private final Map<Long, Deque<Idle>> idle = new HashMap<>();
    private long idleBytes;

    CpuMemoryPool(MemoryLedger ledger) {
        this.ledger = ledger;
    }

    /** Memory that waits for its next use, and how much of it the last one asked for. */
    private record Idle(MemorySegment segment, long bytes) {}

    Storage allocate(long bytes, MemoryCategory category) {
        long size = sizeClass(bytes);
        MemorySegment segment = reuse(size);
        if (segment == null) {
            segment = allocateNew(size, bytes, category);
        }
        return new CpuStorage(this, segment, bytes, category, ledger);
    }

    private MemorySegment allocateNew(long size, long bytes, MemoryCategory category) {
        try {
            return Arena.ofAuto().allocate(size, ALIGNMENT);
        } catch (OutOfMemoryError e) {
            OutOfMemoryError error = new OutOfMemoryError("cpu: no room for " + bytes + " bytes of "
                    + category.name().toLowerCase(Locale.ROOT) + " beside the " + ledger.live()
                    + " in use; take a smaller batch or context, or raise -XX:MaxDirectMemorySize");
            error.initCause(e);
            throw error;
        }
    }

    private synchronized @Nullable MemorySegment reuse(long size) {
        Deque<Idle> waiting = idle.get(size);
        Idle found = waiting == null ? null : waiting.poll();
        if (found == null) {
            return null;
        }
        idleBytes -= found.bytes;
        return found.segment;
    }

    synchronized void recycle(MemorySegment segment, long bytes) {
        if (idleBytes + bytes <= ledger.peak()) {
            idle.computeIfAbsent(segment.byteSize(), size -> new ArrayDeque<>()).push(new Idle(segment, bytes));
            idleBytes += bytes;
        }
    }

    /** Sizes are rounded up to an eighth of their power of two, so that nearly equal ones can serve each other. */
    static long sizeClass(long bytes) {
        long step = Math.max(ALIGNMENT, Long.highestOneBit(Math.max(1, bytes)) / 8);
        return Math.max(ALIGNMENT, (bytes + step - 1) / step * step);
    }
}
