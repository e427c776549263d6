package io.gradus.core.meta;

import io.gradus.core.MemoryCategory;
import io.gradus.core.MemoryLedger;
import io.gradus.core.Storage;

/** Bytes that are counted and are nowhere. */
final class MetaStorage extends Storage {

    MetaStorage(long byteSize, MemoryCategory category, MemoryLedger ledger) {
        super(byteSize, category, ledger);
    }

    @Override
    protected void recycle() {
        // there is nothing to give back
    }
}
