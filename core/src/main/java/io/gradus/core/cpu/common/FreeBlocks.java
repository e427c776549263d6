package io.gradus.core.cpu.common;

import java.util.ArrayDeque;
import java.util.Deque;
import java.util.Map;
import java.util.TreeMap;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * The freed blocks of a memory pool, and the rule by which they are reused. An allocation gets the smallest free block that is
 * large enough, if it is at most an eighth too large. A step needs more blocks than the bytes in use, because not every block
 * fits every tensor. If the free blocks exceed 1.5 times the most bytes that were in use, those unused for longest are given up.
 *
 * <p>The rule knows sizes only, so that the memory of a run can be planned without memory. Not thread-safe.
 *
 * @param <B> a block
 */
public final class FreeBlocks<B> {
    /** A cache line, and the widest vector register. */
    static final long ALIGNMENT = 64;

    private static final long PAGE = 4096;
    /** Blocks of at least this size are a whole number of pages: an eighth of a large tensor is too much to waste. */
    private static final long LARGE = 1 << 20;

    private final TreeMap<Long, Deque<Idle<B>>> idle = new TreeMap<>();
    private final Consumer<B> givenUp;
    private long bytes;
    private long recycled;
    private long mostInUse;

    /**
     * @param givenUp receives the blocks that are no longer kept
     */
    public FreeBlocks(Consumer<B> givenUp) {
        this.givenUp = givenUp;
    }

    /**
     * A free block.
     *
     * @param since the number of blocks freed before it
     */
    private record Idle<B>(B block, long since) {}

    /** The size of all free blocks, in bytes. */
    public long bytes() {
        return bytes;
    }

    /**
     * A block for an allocation, or null if none fits.
     *
     * @param wanted the bytes of the tensor
     * @param inUse bytes of tensors in use, without this one
     */
    public @Nullable B take(long wanted, long inUse) {
        mostInUse = Math.max(mostInUse, inUse + wanted);
        long size = blockSize(wanted);
        Map.Entry<Long, Deque<Idle<B>>> fitting = idle.ceilingEntry(size);
        if (fitting == null || fitting.getKey() > size + size / 8) {
            return null;
        }
        B block = fitting.getValue().pop().block;
        forget(fitting);
        return block;
    }

    /** Keeps a freed block of {@code size} bytes. */
    public void put(B block, long size) {
        idle.computeIfAbsent(size, _ -> new ArrayDeque<>(4)).push(new Idle<>(block, recycled++));
        bytes += size;
        while (bytes > mostInUse + mostInUse / 2 + LARGE) {
            giveUpLongestUnused();
        }
    }

    /** Gives up all blocks. */
    public void clear() {
        while (!idle.isEmpty()) {
            giveUpLongestUnused();
        }
    }

    /** The last block of each queue is the oldest. */
    private void giveUpLongestUnused() {
        Map.Entry<Long, Deque<Idle<B>>> oldest = null;
        for (Map.Entry<Long, Deque<Idle<B>>> queue : idle.entrySet()) {
            if (oldest == null
                    || queue.getValue().getLast().since < oldest.getValue().getLast().since) {
                oldest = queue;
            }
        }
        if (oldest != null) {
            givenUp.accept(oldest.getValue().removeLast().block);
            forget(oldest);
        }
    }

    /** Counts a block that was taken from a queue, and removes the queue if it is empty. */
    private void forget(Map.Entry<Long, Deque<Idle<B>>> queue) {
        bytes -= queue.getKey();
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
