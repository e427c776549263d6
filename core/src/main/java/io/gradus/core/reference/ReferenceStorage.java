package io.gradus.core.reference;

import io.gradus.core.HostStorage;
import io.gradus.core.MemoryCategory;
import io.gradus.core.MemoryLedger;
import java.lang.foreign.MemorySegment;

/** An array on the Java heap. */
final class ReferenceStorage extends HostStorage {

    /** @throws OutOfMemoryError if it is more than a Java array can hold */
    ReferenceStorage(long bytes, MemoryCategory category, MemoryLedger ledger) {
        super(allocate(bytes), category, ledger);
    }

    /** Part of an array of doubles, so that an element of any dtype is aligned. */
    private static MemorySegment allocate(long bytes) {
        long words = (bytes + Double.BYTES - 1) / Double.BYTES;
        if (words > Integer.MAX_VALUE - 8) {
            throw new OutOfMemoryError("reference: a tensor of " + bytes + " bytes is more than a Java array can hold");
        }
        return MemorySegment.ofArray(new double[(int) words]).asSlice(0, bytes);
    }

    @Override
    protected void recycle() {
        // The garbage collector frees the array.
    }
}
