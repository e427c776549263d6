package io.gradus.core;

import java.lang.ref.Cleaner;
import java.util.concurrent.atomic.AtomicBoolean;
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
    private final Entry entry;
    private volatile @Nullable String released;

    /**
     * @param byteSize bytes that a tensor may use
     * @param category what they are for
     * @param ledger where they are counted from now on
     */
    protected Storage(long byteSize, MemoryCategory category, MemoryLedger ledger) {
        this.byteSize = byteSize;
        this.entry = new Entry(ledger, category, byteSize);
        ledger.add(category, byteSize);
        CLEANER.register(this, entry);
    }

    public final long byteSize() {
        return byteSize;
    }

    public final MemoryCategory category() {
        return entry.category;
    }

    /** Whether the memory is still this storage's. */
    public final boolean isAlive() {
        return released == null;
    }

    /** Why the memory is gone, or null while it is not. */
    final @Nullable String released() {
        return released;
    }

    /** Gives the memory back; a second call does nothing. */
    final void release(String reason) {
        if (released == null) {
            released = reason;
            entry.run();
            recycle();
        }
    }

    /** Hands the bytes back to the device. Called once at most, and never after the garbage collector took over. */
    protected abstract void recycle();

    /** The ledger's line for a storage; holds no reference to it, so that it can be collected. */
    private static final class Entry implements Runnable {
        private final MemoryLedger ledger;
        private final MemoryCategory category;
        private final long bytes;
        private final AtomicBoolean open = new AtomicBoolean(true);

        Entry(MemoryLedger ledger, MemoryCategory category, long bytes) {
            this.ledger = ledger;
            this.category = category;
            this.bytes = bytes;
        }

        @Override
        public void run() {
            if (open.compareAndSet(true, false)) {
                ledger.remove(category, bytes);
            }
        }
    }
}
