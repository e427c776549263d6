package io.gradus.core;

import java.lang.foreign.MemorySegment;

/** Storage in the memory of the host, where Java code reaches its elements. */
public abstract class HostStorage extends Storage {
    private final MemorySegment bytes;

    /** @param bytes the memory of the storage, all of which counts as used */
    protected HostStorage(MemorySegment bytes, MemoryCategory category, MemoryLedger ledger) {
        super(bytes.byteSize(), category, ledger);
        this.bytes = bytes;
    }

    /** The bytes of a tensor's elements, from the first to the last. */
    public static MemorySegment of(Tensor tensor) {
        MemorySegment bytes = ((HostStorage) tensor.storage()).bytes;
        long size = tensor.byteSize();
        return size == bytes.byteSize()
                ? bytes
                : bytes.asSlice(tensor.offset() * tensor.dtype().bytes(), size);
    }
}
