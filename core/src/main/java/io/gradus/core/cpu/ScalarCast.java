package io.gradus.core.cpu;

import io.gradus.core.DType;
import io.gradus.core.HostCast;
import io.gradus.core.Tensor;
import io.gradus.core.kernel.CastKernels;
import io.gradus.core.kernel.Checks;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;

/**
 * Elements converted from one dtype to another. Between F32 and the 16-bit floats, which checkpoints are full of, there is a
 * loop each; any other pair goes through double ({@link HostCast}).
 */
final class ScalarCast implements CastKernels {
    private static final int CHUNK = 1 << 15;

    private final Workers workers;

    ScalarCast(Workers workers) {
        this.workers = workers;
    }

    @Override
    public void cast(Tensor x, Tensor out) {
        Checks.sameDevice("cast", x, out);
        Checks.sameShape("cast", x, out);
        DType from = x.dtype();
        DType to = out.dtype();
        MemorySegment source = CpuStorage.of(x);
        MemorySegment target = CpuStorage.of(out);
        workers.forEach(x.size(), CHUNK, (begin, end) -> {
            MemorySegment part = source.asSlice(begin * from.bytes(), (end - begin) * from.bytes());
            convert(part, from, target.asSlice(begin * to.bytes(), (end - begin) * to.bytes()), to, end - begin);
        });
    }

    private static void convert(MemorySegment source, DType from, MemorySegment target, DType to, long count) {
        if (from == to) {
            target.copyFrom(source);
        } else if (from == DType.F32 && (to == DType.BF16 || to == DType.F16)) {
            narrow(source, target, to == DType.BF16, count);
        } else if (to == DType.F32 && (from == DType.BF16 || from == DType.F16)) {
            widen(source, target, from == DType.BF16, count);
        } else {
            HostCast.convert(source, from, target, to, count);
        }
    }

    private static void narrow(MemorySegment source, MemorySegment target, boolean brain, long count) {
        for (long i = 0; i < count; i++) {
            float value = source.get(ValueLayout.JAVA_FLOAT, i * 4);
            short bits = brain ? HostCast.toBFloat16(value) : Float.floatToFloat16(value);
            target.set(ValueLayout.JAVA_SHORT, i * 2, bits);
        }
    }

    private static void widen(MemorySegment source, MemorySegment target, boolean brain, long count) {
        for (long i = 0; i < count; i++) {
            short bits = source.get(ValueLayout.JAVA_SHORT, i * 2);
            target.set(ValueLayout.JAVA_FLOAT, i * 4, brain ? HostCast.fromBFloat16(bits) : Float.float16ToFloat(bits));
        }
    }
}
