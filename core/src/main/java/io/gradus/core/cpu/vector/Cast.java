package io.gradus.core.cpu.vector;

import io.gradus.core.DType;
import io.gradus.core.HostCast;
import io.gradus.core.Tensor;
import io.gradus.core.cpu.common.CpuStorage;
import io.gradus.core.cpu.common.Workers;
import io.gradus.core.kernel.CastKernels;
import java.lang.foreign.MemorySegment;
import java.nio.ByteOrder;
import jdk.incubator.vector.IntVector;
import jdk.incubator.vector.ShortVector;
import jdk.incubator.vector.VectorMask;
import jdk.incubator.vector.VectorOperators;
import jdk.incubator.vector.VectorShape;
import jdk.incubator.vector.VectorSpecies;

/**
 * Conversion between dtypes. A bfloat16 is the upper half of a float, so conversions between these are mostly shifts. Other
 * conversions are as fast without the Vector API ({@link io.gradus.core.cpu.scalar.Cast}).
 */
public final class Cast implements CastKernels {
    private static final int CHUNK = 1 << 15;

    /** Vectors with as many shorts as a vector has ints. */
    private static final VectorSpecies<Short> SHORTS =
            VectorSpecies.of(short.class, VectorShape.forBitSize(Lanes.INTS.vectorBitSize() / 2));

    private static final ByteOrder ORDER = ByteOrder.nativeOrder();

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
            long done = narrower ? narrow(source, target, from, to) : widen(source, target, from, to);
            HostCast.convert(
                    source.asSlice(done * x.dtype().bytes()),
                    x.dtype(),
                    target.asSlice(done * out.dtype().bytes()),
                    out.dtype(),
                    to - done);
        });
    }

    /** Converts whole vectors, and returns the end of the last one. */
    private static long widen(MemorySegment source, MemorySegment target, long from, long to) {
        long at = from;
        for (; at <= to - Lanes.COUNT; at += Lanes.COUNT) {
            ShortVector upper = ShortVector.fromMemorySegment(SHORTS, source, at * 2, ORDER);
            IntVector bits = (IntVector) upper.convertShape(VectorOperators.ZERO_EXTEND_S2I, Lanes.INTS, 0);
            bits.lanewise(VectorOperators.LSHL, 16).intoMemorySegment(target, at * 4, ORDER);
        }
        return at;
    }

    /** The inverse. A NaN is not rounded but gets the quiet bit, as in {@link HostCast#toBFloat16}. */
    private static long narrow(MemorySegment source, MemorySegment target, long from, long to) {
        long at = from;
        for (; at <= to - Lanes.COUNT; at += Lanes.COUNT) {
            IntVector bits = Lanes.loadInts(source, at);
            VectorMask<Integer> nan = bits.and(0x7FFF_FFFF).compare(VectorOperators.GT, 0x7F80_0000);
            IntVector odd = bits.lanewise(VectorOperators.LSHR, 16).and(1);
            IntVector rounded = bits.add(0x7FFF).add(odd).blend(bits.or(0x40_0000), nan);
            ((ShortVector) rounded.lanewise(VectorOperators.LSHR, 16).convertShape(VectorOperators.I2S, SHORTS, 0))
                    .intoMemorySegment(target, at * 2, ORDER);
        }
        return at;
    }
}
