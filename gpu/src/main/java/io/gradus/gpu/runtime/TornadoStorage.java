package io.gradus.gpu.runtime;

import io.gradus.core.DType;
import io.gradus.core.MemoryCategory;
import io.gradus.core.Storage;
import io.gradus.core.Tensor;
import java.lang.ref.Cleaner;
import org.jspecify.annotations.Nullable;

/**
 * A part of an arena. Integers remember what was last written from the host, so that ids can be checked and counted without
 * asking the device.
 */
public final class TornadoStorage extends Storage {
    private static final Cleaner CLEANER = Cleaner.create();

    private final DeviceMemory.Block block;
    private final DType dtype;
    private final Cleaner.Cleanable returned;
    private int @Nullable [] known;

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

    /** Gives the block back; the cleaner runs it once, whoever comes first, a scope or the garbage collector. */
    private record Return(DeviceMemory memory, DeviceMemory.Block block) implements Runnable {
        @Override
        public void run() {
            memory.give(block);
        }
    }

    public static TornadoStorage of(Tensor tensor) {
        return (TornadoStorage) tensor.storage();
    }

    public DeviceMemory.Arena arena() {
        return block.arena();
    }

    /** Where a tensor begins in its arena, in the arena's elements. */
    public static int offset(Tensor tensor) {
        TornadoStorage storage = of(tensor);
        return storage.block.from() + Math.toIntExact(tensor.offset() * DeviceMemory.words(storage.dtype));
    }

    /** What the whole storage holds, when the host wrote it last. */
    public int @Nullable [] known() {
        return known;
    }

    /** Tells what the whole storage holds now; null when only the device knows. */
    public void know(int @Nullable [] elements) {
        known = elements;
    }
}
