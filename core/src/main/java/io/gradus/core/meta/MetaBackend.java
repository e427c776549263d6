package io.gradus.core.meta;

import io.gradus.core.Backend;
import io.gradus.core.DType;
import io.gradus.core.HostCast;
import io.gradus.core.MemoryCategory;
import io.gradus.core.MemoryLedger;
import io.gradus.core.Storage;
import io.gradus.core.Tensor;
import io.gradus.core.cpu.common.FreeBlocks;
import io.gradus.core.kernel.Kernels;
import java.lang.foreign.MemorySegment;
import java.util.Set;

/**
 * A backend that only counts the bytes of tensors, exactly as on the CPU.
 *
 * <p>The bytes held are those that the memory pool of the CPU would hold for the same allocations. As on the CPU, neither count
 * includes the kernels' packing buffers, a few megabytes per thread, or the Java heap.
 *
 * <p>Every element reads as 1: the gradient of a loss with respect to itself, a valid class and row in any vocabulary of two, and
 * an unremarkable loss.
 */
public final class MetaBackend implements Backend {
    private final MemoryLedger ledger = new MemoryLedger();
    private final Kernels kernels = MetaKernels.create();
    private final FreeBlocks<Long> free = new FreeBlocks<>(ledger::giveBack);
    private final Set<DType> computed;

    /**
     * @param computed the dtypes that kernels read and write
     */
    public MetaBackend(Set<DType> computed) {
        this.computed = computed;
    }

    @Override
    public String description() {
        return "counts bytes, computes nothing";
    }

    @Override
    public Storage allocate(long bytes, MemoryCategory category) {
        return new MetaStorage(this, block(bytes), bytes, category, ledger);
    }

    /** The size of the block that the CPU would take for this allocation. */
    private synchronized long block(long bytes) {
        Long reused = free.take(bytes, ledger.live(), ledger.held());
        if (reused != null) {
            return reused;
        }
        long size = FreeBlocks.blockSize(bytes);
        ledger.hold(size);
        return size;
    }

    synchronized void recycle(long block) {
        free.put(block, block);
    }

    @Override
    public MemoryLedger memory() {
        return ledger;
    }

    @Override
    public boolean computesIn(DType dtype) {
        return computed.contains(dtype);
    }

    @Override
    public boolean hasElements() {
        return false;
    }

    @Override
    public void upload(MemorySegment source, Tensor target) {
        // nothing is stored
    }

    @Override
    public void download(Tensor source, MemorySegment target) {
        DType dtype = source.dtype();
        MemorySegment one = MemorySegment.ofArray(new byte[dtype.bytes()]);
        HostCast.convert(MemorySegment.ofArray(new float[] {1}), DType.F32, one, dtype, 1);
        for (long at = 0; at < source.byteSize(); at += dtype.bytes()) {
            MemorySegment.copy(one, 0, target, at, dtype.bytes());
        }
    }

    @Override
    public Kernels kernels() {
        return kernels;
    }
}
