package io.gradus.core.cpu.scalar;

import io.gradus.core.DType;
import io.gradus.core.HostCast;
import io.gradus.core.Tensor;
import io.gradus.core.cpu.common.CpuStorage;
import io.gradus.core.cpu.common.Workers;
import io.gradus.core.kernel.CastKernels;
import java.lang.foreign.MemorySegment;

/** Conversion between dtypes: {@link HostCast} on all threads. */
public final class Cast implements CastKernels {
    private static final int CHUNK = 1 << 15;

    private final Workers workers;

    public Cast(Workers workers) {
        this.workers = workers;
    }

    @Override
    public void cast(Tensor x, Tensor out) {
        DType from = x.dtype();
        DType to = out.dtype();
        MemorySegment source = CpuStorage.of(x);
        MemorySegment target = CpuStorage.of(out);
        workers.forEach(x.size(), CHUNK, (begin, end) -> {
            MemorySegment part = source.asSlice(begin * from.bytes(), (end - begin) * from.bytes());
            HostCast.convert(part, from, target.asSlice(begin * to.bytes()), to, end - begin);
        });
    }
}
