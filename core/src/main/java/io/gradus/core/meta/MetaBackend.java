package io.gradus.core.meta;

import io.gradus.core.Backend;
import io.gradus.core.DType;
import io.gradus.core.HostCast;
import io.gradus.core.MemoryCategory;
import io.gradus.core.MemoryLedger;
import io.gradus.core.Storage;
import io.gradus.core.Tensor;
import io.gradus.core.kernel.Kernels;
import java.lang.foreign.MemorySegment;

/**
 * A backend that only counts the bytes of tensors, exactly as on the CPU.
 *
 * <p>As on the CPU, the count excludes the kernels' packing buffers, a few megabytes per thread; memory that the pool keeps for
 * the next step, up to half of what was in use; and the Java heap.
 *
 * <p>Every element reads as 1: the gradient of a loss with respect to itself, a valid class and row in any vocabulary of two, and
 * an unremarkable loss.
 */
public final class MetaBackend implements Backend {
    private final MemoryLedger ledger = new MemoryLedger();
    private final Kernels kernels = MetaKernels.create();

    @Override
    public String description() {
        return "counts bytes, computes nothing";
    }

    @Override
    public Storage allocate(long bytes, MemoryCategory category) {
        return new MetaStorage(bytes, category, ledger);
    }

    @Override
    public MemoryLedger memory() {
        return ledger;
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
