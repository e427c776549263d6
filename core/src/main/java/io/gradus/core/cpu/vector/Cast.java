package io.gradus.core.cpu.vector;

import io.gradus.core.DType;
import io.gradus.core.Tensor;
import io.gradus.core.cpu.common.CpuStorage;
import io.gradus.core.cpu.common.Workers;
import io.gradus.core.kernel.CastKernels;
import java.lang.foreign.MemorySegment;

/**
 * Conversion between dtypes: {@link Halves} for F32 and BF16. Other conversions are as fast without the Vector API ({@link
 * io.gradus.core.cpu.scalar.Cast}).
 */
public final class Cast implements CastKernels {
    private static final int CHUNK = 1 << 15;

    private final Workers workers;
    private final CastKernels scalar;

    public Cast(Workers workers) {
        this.workers = workers;
        this.scalar = new io.gradus.core.cpu.scalar.Cast(workers);
    }

    @Override
    public void cast(Tensor x, Tensor out) {
        boolean narrower = x.dtype() == DType.F32 && out.dtype() == DType.BF16;
        boolean wider = x.dtype() == DType.BF16 && out.dtype() == DType.F32;
        if (!narrower && !wider) {
            scalar.cast(x, out);
            return;
        }
        MemorySegment source = CpuStorage.of(x);
        MemorySegment target = CpuStorage.of(out);
        workers.forEach(x.size(), CHUNK, (from, to) -> {
            if (narrower) {
                Halves.narrow(source, from, target, DType.BF16, from, to - from);
            } else {
                Halves.widen(source, DType.BF16, from, target, from, to - from);
            }
        });
    }
}
