package io.gradus.core;

import java.lang.ref.Cleaner;
import org.jspecify.annotations.Nullable;

/**
 * Memory on one device, shared by a tensor and its views. Each backend extends this class.
 *
 * <p>Storage created inside a {@link Scope} is freed when the scope closes; other storage is freed by the garbage collector.
 * Either way the {@link MemoryLedger} is updated.
 */
public abstract class Storage {
    private static final Cleaner CLEANER = Cleaner.create();

    private final long byteSize;
    private final MemoryCategory category;
    private final MemoryLedger ledger;
    private Cleaner.@Nullable Cleanable collected;
    private volatile @Nullable String released;

    /**
     * @param byteSize the number of usable bytes
     * @param category what the memory is used for
     * @param ledger where the bytes are counted
     */
    protected Storage(long byteSize, MemoryCategory category, MemoryLedger ledger) {
        this.byteSize = byteSize;
        this.category = category;
        this.ledger = ledger;
        ledger.add(category, byteSize);
    }

    /** Updates the ledger when the garbage collector frees this storage. For storage without a scope; called once only. */
    final void leaveToGarbageCollector() {
        collected = CLEANER.register(this, new Entry(ledger, category, byteSize, heldBytes()));
    }

    public final long byteSize() {
        return byteSize;
    }

    public final MemoryCategory category() {
        return category;
    }

    /** Whether the memory has not been freed. */
    public final boolean isAlive() {
        return released == null;
    }

    /** Why the memory was freed, or null if it was not. */
    final @Nullable String released() {
        return released;
    }

    /** Frees the memory. Further calls do nothing, even concurrent ones. */
    final void release(String reason) {
        synchronized (this) {
            if (released != null) {
                return;
            }
            released = reason;
        }
        if (collected == null) {
            ledger.remove(category, byteSize);
        } else {
            collected.clean();
            ledger.hold(heldBytes()); // the device keeps the memory
        }
        recycle();
    }

    /** The storage that has the memory. */
    Storage memory() {
        return this;
    }

    /** The bytes that the device holds for this storage; 0 if it does not count them. The garbage collector returns them. */
    protected long heldBytes() {
        return 0;
    }

    /** Returns the memory to the device. Called at most once, and never after the garbage collector took over. */
    protected abstract void recycle();

    /** Updates the ledger. Has no reference to the storage, which would keep it from being collected. */
    private record Entry(MemoryLedger ledger, MemoryCategory category, long bytes, long held) implements Runnable {
        @Override
        public void run() {
            ledger.remove(category, bytes);
            ledger.giveBack(held);
        }
    }
}
