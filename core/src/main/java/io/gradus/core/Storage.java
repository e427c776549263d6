package io.gradus.core;

import java.lang.ref.Cleaner;
import org.jspecify.annotations.Nullable;

/**
 * A run of bytes on one device, shared by a tensor and its views. A backend extends it with its own handle.
 *
 * <p>Storage made inside a {@link Scope} is given back when that scope closes; any other lives until the garbage
 * collector finds it. Either way the {@link MemoryLedger} is told.
 */
public abstract class Storage {
    private static final Cleaner CLEANER = Cleaner.create();

    private final long byteSize;
    private final MemoryCategory category;
    private final MemoryLedger ledger;
    private Cleaner.@Nullable Cleanable collected;
    private volatile @Nullable String released;

    /**
     * @param byteSize bytes that a tensor may use
     * @param category what they are for
     * @param ledger where they are counted from now on
     */
    protected Storage(long byteSize, MemoryCategory category, MemoryLedger ledger) {
        this.byteSize = byteSize;
        this.category = category;
        this.ledger = ledger;
        ledger.add(category, byteSize);
    }

    /** Has the ledger told when the garbage collector finds this storage; for storage of no scope, and once only. */
    final void leaveToGarbageCollector() {
        collected = CLEANER.register(this, new Entry(ledger, category, byteSize));
    }

    public final long byteSize() {
        return byteSize;
    }

    public final MemoryCategory category() {
        return category;
    }

    /** Whether the memory is still this storage's. */
    public final boolean isAlive() {
        return released == null;
    }

    /** Why the memory is gone, or null while it is not. */
    final @Nullable String released() {
        return released;
    }

    /** Gives the memory back; a second call does nothing, not even when two threads call at once. */
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
        }
        recycle();
    }

    /** Hands the bytes back to the device. Called once at most, and never after the garbage collector took over. */
    protected abstract void recycle();

    /** The ledger's line for a storage; holds no reference to it, so that it can be collected. */
    private record Entry(MemoryLedger ledger, MemoryCategory category, long bytes) implements Runnable {
        @Override
        public void run() {
            ledger.remove(category, bytes);
        }
    }
}
