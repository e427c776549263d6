package io.gradus.core.cpu.common;

import io.gradus.core.MemoryCategory;
import io.gradus.core.MemoryLedger;
import io.gradus.core.Storage;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.Locale;
import org.jspecify.annotations.Nullable;

/** The memory of tensors on the CPU. Freed memory is kept for reuse by the rule of {@link FreeBlocks}. Thread-safe. */
public final class CpuMemoryPool {
    private final MemoryLedger ledger;
    private final FreeBlocks<MemorySegment> free;
    private long allocated;

    public CpuMemoryPool(MemoryLedger ledger) {
        this.ledger = ledger;
        free = new FreeBlocks<>(block -> {
            HugePages.discard(block); // the garbage collector frees it later
            ledger.giveBack(block.byteSize());
        });
    }

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
        long size = FreeBlocks.blockSize(bytes);
        try {
            MemorySegment block = Arena.ofAuto().allocate(size, FreeBlocks.ALIGNMENT);
            HugePages.under(block);
            synchronized (this) {
                allocated += size;
            }
            ledger.hold(size);
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
        return free.take(bytes, ledger.live(), ledger.held());
    }

    /** Gives up all free blocks. */
    public synchronized void trim() {
        free.clear();
    }

    synchronized void recycle(MemorySegment block) {
        free.put(block, block.byteSize());
    }
}
