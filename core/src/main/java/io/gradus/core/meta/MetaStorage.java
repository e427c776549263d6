package io.gradus.core.meta;

import io.gradus.core.MemoryCategory;
import io.gradus.core.MemoryLedger;
import io.gradus.core.Storage;

/** Storage that is counted but not allocated. */
final class MetaStorage extends Storage {
    private final MetaBackend backend;
    private final long block;

    /**
     * @param block the size of its block on the CPU
     */
    MetaStorage(MetaBackend backend, long block, long byteSize, MemoryCategory category, MemoryLedger ledger) {
        super(byteSize, category, ledger);
        this.backend = backend;
        this.block = block;
    }

    @Override
    protected long heldBytes() {
        return block;
    }

    @Override
    protected void recycle() {
        backend.recycle(block);
    }
}
