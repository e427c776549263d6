package io.gradus.core.cpu.common;

import java.util.ArrayDeque;
import java.util.Deque;
import java.util.Map;
import java.util.TreeMap;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * The freed blocks of a memory pool, and the rule by which they are reused. An allocation gets the smallest free block that is
 * large enough, if it is at most twice as large: a batch of short texts lives in the blocks of a batch of longer ones. Where none
 * fits, the pool asks the system for memory. First those unused for longest are given up, until the pool holds at most an eighth
 * more than the most bytes that were in use: a step needs some more, because not every block fits every tensor.
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
     * A block for an allocation, or null if none fits and the pool is to obtain one of {@link #blockSize} bytes.
     *
     * @param wanted the bytes of the tensor
     * @param inUse bytes of tensors in use, without this one
     * @param held bytes that the pool has from the system, in use or free
     */
    public @Nullable B take(long wanted, long inUse, long held) {
        mostInUse = Math.max(mostInUse, inUse + wanted);
        long size = blockSize(wanted);
        Map.Entry<Long, Deque<Idle<B>>> fitting = idle.ceilingEntry(size);
        if (fitting == null || fitting.getKey() > 2 * size) {
            long most = mostInUse + mostInUse / 8 + LARGE;
            giveUp(held + size - most);
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
    }

    /** Gives up all blocks. */
    public void clear() {
        giveUp(Long.MAX_VALUE);
    }

    /** Gives up blocks of at least {@code excess} bytes, or all. */
    private void giveUp(long excess) {
        long rest = bytes - excess;
        while (bytes > rest && !idle.isEmpty()) {
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
