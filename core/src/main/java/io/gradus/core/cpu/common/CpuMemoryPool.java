package io.gradus.core.cpu.common;

import io.gradus.core.MemoryCategory;
import io.gradus.core.MemoryLedger;
import io.gradus.core.Storage;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.Locale;
import java.util.Map;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/**
 * Keeps freed memory for reuse. An allocation gets the smallest free block that is large enough, if it is at most an eighth
 * too large. Since each training step needs the same sizes, steps after the first allocate no new memory.
 *
 * <p>A step needs more blocks than the bytes in use, because not every block fits every tensor. If the pool exceeds 1.5 times the
 * peak of bytes in use, the garbage collector frees the blocks that were unused for longest. Thread-safe.
 */
public final class CpuMemoryPool {
    /** A cache line, and the widest vector register. */
    private static final long ALIGNMENT = 64;

    private static final long PAGE = 4096;
    /** Blocks of at least this size are a whole number of pages: an eighth of a large tensor is too much to waste. */
    private static final long LARGE = 1 << 20;

    private final MemoryLedger ledger;
    private final TreeMap<Long, Deque<Idle>> idle = new TreeMap<>();
    private long idleBytes;
    private long recycled;
    private long mostInUse;
    private long allocated;

    public CpuMemoryPool(MemoryLedger ledger) {
        this.ledger = ledger;
    }

    /**
     * A free block.
     *
     * @param since the number of blocks freed before it
     */
    private record Idle(MemorySegment block, long since) {}

    public Storage allocate(long bytes, MemoryCategory category) {
        MemorySegment block = reuse(bytes);
        if (block == null) {
            block = allocateNew(bytes, category);
        }
        return new CpuStorage(this, block, bytes, category, ledger);
    }

    /** All bytes ever allocated from the operating system. */
    public synchronized long allocated() {
        return allocated;
    }

    private MemorySegment allocateNew(long bytes, MemoryCategory category) {
        long size = blockSize(bytes);
        try {
            MemorySegment block = Arena.ofAuto().allocate(size, ALIGNMENT);
            HugePages.under(block);
            synchronized (this) {
                allocated += size;
            }
            return block;
        } catch (OutOfMemoryError e) {
            OutOfMemoryError error = new OutOfMemoryError("cpu: no room for " + bytes + " bytes of "
                    + category.name().toLowerCase(Locale.ROOT) + " beside the " + ledger.live()
                    + " in use; take a smaller batch or context, or raise -XX:MaxDirectMemorySize");
            error.initCause(e);
            throw error;
        }
    }

    private synchronized @Nullable MemorySegment reuse(long bytes) {
        mostInUse = Math.max(mostInUse, ledger.live() + bytes);
        long size = blockSize(bytes);
        Map.Entry<Long, Deque<Idle>> fitting = idle.ceilingEntry(size);
        if (fitting == null || fitting.getKey() > size + size / 8) {
            return null;
        }
        MemorySegment block = fitting.getValue().pop().block;
        forget(fitting);
        return block;
    }

    synchronized void recycle(MemorySegment block) {
        idle.computeIfAbsent(block.byteSize(), _ -> new ArrayDeque<>(4)).push(new Idle(block, recycled++));
        idleBytes += block.byteSize();
        while (idleBytes > mostInUse + mostInUse / 2 + LARGE) {
            dropLongestUnused();
        }
    }

    /** The last block of each queue is the oldest. */
    private void dropLongestUnused() {
        Map.Entry<Long, Deque<Idle>> oldest = null;
        for (Map.Entry<Long, Deque<Idle>> queue : idle.entrySet()) {
            if (oldest == null
                    || queue.getValue().getLast().since < oldest.getValue().getLast().since) {
                oldest = queue;
            }
        }
        if (oldest != null) {
            oldest.getValue().removeLast();
            forget(oldest);
        }
    }

    /** Counts a block that was taken from a queue, and removes the queue if it is empty. */
    private void forget(Map.Entry<Long, Deque<Idle>> queue) {
        idleBytes -= queue.getKey();
        if (queue.getValue().isEmpty()) {
            idle.remove(queue.getKey());
        }
    }

    /**
     * The size of a new block. Small sizes are rounded up to an eighth of their power of two, so that tensors of similar sizes can
     * share blocks.
     */
    public static long blockSize(long bytes) {
        long step = bytes >= LARGE ? PAGE : Math.max(ALIGNMENT, Long.highestOneBit(Math.max(1, bytes)) / 8);
        return Math.max(ALIGNMENT, (bytes + step - 1) / step * step);
    }
}
