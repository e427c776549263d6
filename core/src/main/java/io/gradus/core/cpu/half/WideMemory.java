package io.gradus.core.cpu.half;

import io.gradus.core.DType;
import io.gradus.core.Device;
import io.gradus.core.HostStorage;
import io.gradus.core.MemoryCategory;
import io.gradus.core.MemoryLedger;
import io.gradus.core.Shape;
import io.gradus.core.Tensor;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import org.jspecify.annotations.Nullable;

/** Tensors of F32 in memory of one thread, which is kept for the next kernel. Their contents are undefined. */
final class WideMemory {
    /** The first slot for operands that a kernel reads as a whole; blocks of rows use those below. */
    static final int WHOLE = 8;

    private static final ThreadLocal<WideMemory> OF_THREAD = ThreadLocal.withInitial(WideMemory::new);
    private static final int SLOTS = WHOLE + 4;
    private static final int CACHE_LINE = 64;
    /** Scratch memory of kernels is not counted with the memory of tensors. */
    private static final MemoryLedger UNCOUNTED = new MemoryLedger();

    private final @Nullable Block[] blocks = new @Nullable Block[SLOTS];

    private WideMemory() {}

    static WideMemory ofThread() {
        return OF_THREAD.get();
    }

    /** A tensor of F32; in the same memory each time for the same slot. */
    Tensor tensor(int slot, Device device, Shape shape) {
        long bytes = shape.size() * DType.F32.bytes();
        Block block = blocks[slot];
        if (block == null || block.byteSize() < bytes) {
            block = new Block(bytes);
            blocks[slot] = block;
        }
        return Tensor.in(block, 0, device, DType.F32, shape);
    }

    /** A tensor of F32 in memory of its own. */
    static Tensor temporary(Device device, Shape shape) {
        return Tensor.in(new Block(shape.size() * DType.F32.bytes()), 0, device, DType.F32, shape);
    }

    /** Memory that the garbage collector frees. */
    private static final class Block extends HostStorage {
        Block(long bytes) {
            super(allocate(bytes), MemoryCategory.WORKSPACE, UNCOUNTED);
        }

        private static MemorySegment allocate(long bytes) {
            return Arena.ofAuto().allocate(Math.max(CACHE_LINE, bytes), CACHE_LINE);
        }

        @Override
        protected void recycle() {
            // the garbage collector frees it
        }
    }
}
