package io.gradus.core.cpu.half;

import io.gradus.core.DType;
import io.gradus.core.HostCast;
import io.gradus.core.Tensor;
import io.gradus.core.cpu.common.CpuStorage;
import io.gradus.core.cpu.vector.Halves;
import io.gradus.core.cpu.vector.VectorSupport;
import java.lang.foreign.MemorySegment;

/** Conversion of elements on the thread of the caller, with vectors if they are usable. Offsets are in elements. */
final class Conversion {
    private Conversion() {}

    /** Copies {@code count} elements to a tensor of F32. */
    static void load(Tensor stored, long from, Tensor wide, long to, long count) {
        DType dtype = stored.dtype();
        MemorySegment source = CpuStorage.of(stored);
        MemorySegment target = CpuStorage.of(wide);
        if (dtype.isHalf() && VectorSupport.isUsable()) {
            Halves.widen(source, dtype, from, target, to, count);
        } else {
            HostCast.convert(source.asSlice(from * dtype.bytes()), dtype, target.asSlice(to * 4), DType.F32, count);
        }
    }

    /** Copies {@code count} elements of F32, rounded to the dtype of a tensor. */
    static void store(Tensor wide, long from, Tensor stored, long to, long count) {
        DType dtype = stored.dtype();
        MemorySegment source = CpuStorage.of(wide);
        MemorySegment target = CpuStorage.of(stored);
        if (dtype.isHalf() && VectorSupport.isUsable()) {
            Halves.narrow(source, from, target, dtype, to, count);
        } else {
            HostCast.convert(source.asSlice(from * 4), DType.F32, target.asSlice(to * dtype.bytes()), dtype, count);
        }
    }
}
