package io.gradus.gpu.runtime;

import io.gradus.core.DType;
import io.gradus.core.MemoryCategory;
import io.gradus.core.Storage;
import io.gradus.core.Tensor;
import java.lang.ref.Cleaner;
import org.jspecify.annotations.Nullable;

/**
 * Part of an arena. Integer storage keeps a copy of what the host last wrote, so that ids can be checked and counted
 * without a download.
 */
public final class TornadoStorage extends Storage {
    private static final Cleaner CLEANER = Cleaner.create();

    private final DeviceMemory.Block block;
    private final DType dtype;
    private final Cleaner.Cleanable returned;
    private int @Nullable [] hostCopy;

    TornadoStorage(DeviceMemory memory, DeviceMemory.Block block, DType dtype, long bytes, MemoryCategory category) {
        super(bytes, category, memory.ledger());
        this.block = block;
        this.dtype = dtype;
        returned = CLEANER.register(this, new Return(memory, block));
    }

    @Override
    protected void recycle() {
        returned.clean();
    }

    /** Frees the block. The cleaner runs this once, for a scope or for the garbage collector. */
    private record Return(DeviceMemory memory, DeviceMemory.Block block) implements Runnable {
        @Override
        public void run() {
            memory.release(block);
        }
    }

    public static TornadoStorage of(Tensor tensor) {
        return (TornadoStorage) tensor.storage();
    }

    public DeviceMemory.Arena arena() {
        return block.arena();
    }

    /** The index in its arena at which a tensor begins. */
    public static int offset(Tensor tensor) {
        TornadoStorage storage = of(tensor);
        return storage.block.from() + Math.toIntExact(tensor.offset() * DeviceMemory.words(storage.dtype));
    }

    /** The contents of the whole storage, or null if only the device knows them. */
    public int @Nullable [] hostCopy() {
        return hostCopy;
    }

    /** Sets the contents of the whole storage as the host knows them; null if only the device knows them. */
    public void setHostCopy(int @Nullable [] elements) {
        hostCopy = elements;
    }
}
