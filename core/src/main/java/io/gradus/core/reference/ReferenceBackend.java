package io.gradus.core.reference;

import io.gradus.core.Backend;
import io.gradus.core.DType;
import io.gradus.core.MemoryCategory;
import io.gradus.core.MemoryLedger;
import io.gradus.core.Storage;
import io.gradus.core.Tensor;
import io.gradus.core.kernel.Kernels;
import java.lang.foreign.MemorySegment;

/**
 * Every kernel as plain loops in double precision over {@link io.gradus.core.DType#F64} and
 * {@link io.gradus.core.DType#I32} tensors. The other backends are tested against it.
 */
public final class ReferenceBackend implements Backend {
    private final MemoryLedger ledger = new MemoryLedger();
    private final Kernels kernels = new Kernels(
            new Gemm(),
            new Elementwise(),
            new Reduction(),
            new Softmax(),
            new CrossEntropy(),
            new Normalization(),
            new Rotary(),
            new Attention(),
            new Lstm(),
            new Embedding(),
            new Movement(),
            new Scan(),
            new Random(),
            new OptimizerSteps(),
            new Cast());

    @Override
    public String description() {
        return "reference, double precision, 1 thread, plain Java";
    }

    @Override
    public boolean computesIn(DType dtype) {
        return dtype == DType.F64;
    }

    @Override
    public Storage allocate(long bytes, MemoryCategory category) {
        return new ReferenceStorage(bytes, category, ledger);
    }

    @Override
    public MemoryLedger memory() {
        return ledger;
    }

    @Override
    public void upload(MemorySegment source, Tensor target) {
        MemorySegment.copy(source, 0, Elements.of(target).memory(), 0, target.byteSize());
    }

    @Override
    public void download(Tensor source, MemorySegment target) {
        MemorySegment.copy(Elements.of(source).memory(), 0, target, 0, source.byteSize());
    }

    @Override
    public Kernels kernels() {
        return kernels;
    }
}
