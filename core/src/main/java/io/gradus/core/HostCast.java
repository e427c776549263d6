package io.gradus.core;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;

/** Converts elements between dtypes in host memory, one at a time; rounding is to nearest, ties to even. */
public final class HostCast {
    private static final ValueLayout.OfFloat F32 = ValueLayout.JAVA_FLOAT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);
    private static final ValueLayout.OfShort B16 = ValueLayout.JAVA_SHORT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);
    private static final ValueLayout.OfInt I32 = ValueLayout.JAVA_INT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);
    private static final ValueLayout.OfDouble F64 =
            ValueLayout.JAVA_DOUBLE_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);

    private HostCast() {}

    /** Copies a tensor of any device into {@code target}, as elements of {@code dtype}. */
    static void convert(Tensor source, DType dtype, MemorySegment target) {
        if (source.dtype() == dtype) {
            source.backend().download(source, target);
            return;
        }
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment raw =
                    arena.allocate(Math.max(1, source.byteSize()), 8).asSlice(0, source.byteSize());
            source.backend().download(source, raw);
            convert(raw, source.dtype(), target, dtype, source.size());
        }
    }

    /** Copies {@code count} elements from one run of memory to another, changing their dtype. */
    public static void convert(MemorySegment source, DType from, MemorySegment target, DType to, long count) {
        for (long i = 0; i < count; i++) {
            set(target, to, i, get(source, from, i));
        }
    }

    private static double get(MemorySegment memory, DType dtype, long i) {
        return switch (dtype) {
            case F32 -> memory.get(F32, i * 4);
            case BF16 -> fromBFloat16(memory.get(B16, i * 2));
            case F16 -> Float.float16ToFloat(memory.get(B16, i * 2));
            case I32 -> memory.get(I32, i * 4);
            case F64 -> memory.get(F64, i * 8);
        };
    }

    private static void set(MemorySegment memory, DType dtype, long i, double value) {
        switch (dtype) {
            case F32 -> memory.set(F32, i * 4, (float) value);
            case BF16 -> memory.set(B16, i * 2, toBFloat16((float) value));
            case F16 -> memory.set(B16, i * 2, Float.floatToFloat16((float) value));
            case I32 -> memory.set(I32, i * 4, (int) value);
            case F64 -> memory.set(F64, i * 8, value);
        }
    }

    /** The value of a bfloat16, exactly. */
    public static float fromBFloat16(short bits) {
        return Float.intBitsToFloat(bits << 16);
    }

    /** The nearest bfloat16, ties to even; a NaN stays one. */
    public static short toBFloat16(float value) {
        int bits = Float.floatToRawIntBits(value);
        if (Float.isNaN(value)) {
            return (short) (bits >>> 16 | 0x40); // the quiet bit, lest the payload was all in the lower half
        }
        int half = 0x7FFF + (bits >>> 16 & 1);
        return (short) (bits + half >>> 16);
    }
}
