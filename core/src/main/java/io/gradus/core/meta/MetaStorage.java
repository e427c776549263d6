package io.gradus.core.meta;

import io.gradus.core.MemoryCategory;
import io.gradus.core.MemoryLedger;
import io.gradus.core.Storage;

/** Storage that is counted but not allocated. */
final class MetaStorage extends Storage {

    MetaStorage(long byteSize, MemoryCategory category, MemoryLedger ledger) {
        super(byteSize, category, ledger);
    }

    @Override
    protected void recycle() {
        // nothing was allocated
    }
}
