package io.gradus.core;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;

/**
 * Converts elements between dtypes in host memory, rounding to nearest, ties to even.
 *
 * <p>Values outside the range of an integer dtype become its nearest value: 300 as U8 is 255.
 *
 * <p>Blocks of elements pass through F32 arrays, in loops that the JIT compiler vectorizes. It does not vectorize loops over
 * memory that may overlap, hence the arrays, nor {@code Float.intBitsToFloat} and its inverse (JDK 25), hence bits are copied
 * to an {@code int[]}. Conversions between I32 and F64, which have more digits than F32, go element by element.
 */
public final class HostCast {
    private static final ValueLayout.OfFloat F32 = ValueLayout.JAVA_FLOAT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);
    private static final ValueLayout.OfShort B16 = ValueLayout.JAVA_SHORT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);
    private static final ValueLayout.OfInt I32 = ValueLayout.JAVA_INT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);
    private static final ValueLayout.OfDouble F64 =
            ValueLayout.JAVA_DOUBLE_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);

    private HostCast() {}

    /** Copies a tensor on any device to {@code target}, converted to {@code dtype}. */
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

    /** Copies {@code count} elements, converting their dtype. */
    public static void convert(MemorySegment source, DType from, MemorySegment target, DType to, long count) {
        if (from == to) {
            MemorySegment.copy(source, 0, target, 0, count * from.bytes());
        } else if (from == DType.I32 && to == DType.F64) {
            for (long i = 0; i < count; i++) {
                target.set(F64, i * 8, source.get(I32, i * 4));
            }
        } else if (from == DType.F64 && to == DType.I32) {
            for (long i = 0; i < count; i++) {
                target.set(I32, i * 4, (int) source.get(F64, i * 8));
            }
        } else {
            Block block = new Block((int) Math.min(Block.SIZE, count));
            for (long at = 0; at < count; at += Block.SIZE) {
                int n = (int) Math.min(Block.SIZE, count - at);
                block.load(source, from, at, n);
                block.store(target, to, at, n);
            }
        }
    }

    /** The value of a bfloat16, exactly. */
    public static float fromBFloat16(short bits) {
        return Float.intBitsToFloat(bits << 16);
    }

    /** The nearest bfloat16, ties to even. NaN stays NaN. */
    public static short toBFloat16(float value) {
        return (short) round(Float.floatToRawIntBits(value));
    }

    /**
     * The upper half of a float's bits, rounded, in the lower half of the result. For a NaN it sets the quiet bit instead, because
     * the payload may be in the lower half only. Branch-free: {@code nan} is all ones or all zeros.
     */
    private static int round(int bits) {
        int nan = (0x7F80_0000 - (bits & 0x7FFF_FFFF)) >> 31;
        int rounded = bits + 0x7FFF + ((bits >>> 16) & 1);
        return ((rounded & ~nan) | ((bits | 0x40_0000) & nan)) >>> 16;
    }

    /** A buffer of floats between two dtypes. */
    private static final class Block {
        /** Arrays of this length fit in the first-level cache. */
        static final int SIZE = 2048;

        private final float[] floats;
        private final MemorySegment floatBits;
        private final int[] ints;
        private final short[] shorts;

        Block(int size) {
            floats = new float[size];
            floatBits = MemorySegment.ofArray(floats);
            ints = new int[size];
            shorts = new short[size];
        }

        void load(MemorySegment source, DType from, long at, int n) {
            switch (from) {
                case F32 -> MemorySegment.copy(source, F32, at * 4, floats, 0, n);
                case BF16 -> {
                    MemorySegment.copy(source, B16, at * 2, shorts, 0, n);
                    shift(shorts, ints, n);
                    MemorySegment.copy(ints, 0, floatBits, I32, 0, n);
                }
                case F16 -> {
                    MemorySegment.copy(source, B16, at * 2, shorts, 0, n);
                    widen(shorts, floats, n);
                }
                case I32 -> {
                    MemorySegment.copy(source, I32, at * 4, ints, 0, n);
                    widen(ints, floats, n);
                }
                case U8 -> {
                    for (int i = 0; i < n; i++) {
                        floats[i] = source.get(ValueLayout.JAVA_BYTE, at + i) & 0xFF;
                    }
                }
                case F64 -> {
                    for (int i = 0; i < n; i++) {
                        floats[i] = (float) source.get(F64, (at + i) * 8);
                    }
                }
            }
        }

        void store(MemorySegment target, DType to, long at, int n) {
            switch (to) {
                case F32 -> MemorySegment.copy(floats, 0, target, F32, at * 4, n);
                case BF16 -> {
                    MemorySegment.copy(floatBits, I32, 0, ints, 0, n);
                    round(ints, n);
                    truncate(ints, shorts, n);
                    MemorySegment.copy(shorts, 0, target, B16, at * 2, n);
                }
                case F16 -> {
                    narrow(floats, shorts, n);
                    MemorySegment.copy(shorts, 0, target, B16, at * 2, n);
                }
                case I32 -> {
                    truncate(floats, ints, n);
                    MemorySegment.copy(ints, 0, target, I32, at * 4, n);
                }
                case U8 -> {
                    for (int i = 0; i < n; i++) {
                        target.set(ValueLayout.JAVA_BYTE, at + i, (byte) Math.clamp((int) floats[i], 0, 255));
                    }
                }
                case F64 -> {
                    for (int i = 0; i < n; i++) {
                        target.set(F64, (at + i) * 8, floats[i]);
                    }
                }
            }
        }

        private static void shift(short[] upper, int[] bits, int n) {
            for (int i = 0; i < n; i++) {
                bits[i] = upper[i] << 16;
            }
        }

        /** Replaces each by its rounded upper half, in the lower half. */
        private static void round(int[] bits, int n) {
            for (int i = 0; i < n; i++) {
                bits[i] = HostCast.round(bits[i]);
            }
        }

        private static void truncate(int[] wide, short[] lower, int n) {
            for (int i = 0; i < n; i++) {
                lower[i] = (short) wide[i];
            }
        }

        private static void widen(int[] wholes, float[] values, int n) {
            for (int i = 0; i < n; i++) {
                values[i] = wholes[i];
            }
        }

        private static void widen(short[] halves, float[] values, int n) {
            for (int i = 0; i < n; i++) {
                values[i] = Float.float16ToFloat(halves[i]);
            }
        }

        private static void narrow(float[] values, short[] halves, int n) {
            for (int i = 0; i < n; i++) {
                halves[i] = Float.floatToFloat16(values[i]);
            }
        }

        private static void truncate(float[] values, int[] wholes, int n) {
            for (int i = 0; i < n; i++) {
                wholes[i] = (int) values[i];
            }
        }
    }
}
