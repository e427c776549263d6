package io.gradus.core.reference;

import io.gradus.core.MemoryCategory;
import io.gradus.core.MemoryLedger;
import io.gradus.core.Storage;
import java.lang.foreign.MemorySegment;

/** An array on the Java heap. */
final class ReferenceStorage extends Storage {
    private final MemorySegment memory;

    /** @throws OutOfMemoryError if it is more than a Java array can hold */
    ReferenceStorage(long bytes, MemoryCategory category, MemoryLedger ledger) {
        MemorySegment array = allocate(bytes);
        super(bytes, category, ledger);
        memory = array;
    }

    /** An array of doubles, so that an element of any dtype is aligned. */
    private static MemorySegment allocate(long bytes) {
        long words = (bytes + Double.BYTES - 1) / Double.BYTES;
        if (words > Integer.MAX_VALUE - 8) {
            throw new OutOfMemoryError("reference: a tensor of " + bytes + " bytes is more than a Java array can hold");
        }
        return MemorySegment.ofArray(new double[(int) words]);
    }

    MemorySegment memory() {
        return memory;
    }

    @Override
    protected void recycle() {
        // The garbage collector frees the array.
    }
}
