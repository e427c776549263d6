package io.gradus.gpu;

import static io.gradus.gpu.runtime.Launcher.floats;
import static io.gradus.gpu.runtime.Launcher.ints;

import io.gradus.core.DType;
import io.gradus.core.HostCast;
import io.gradus.core.Shape;
import io.gradus.core.Tensor;
import io.gradus.core.kernel.CastKernels;
import io.gradus.gpu.runtime.Copy;
import io.gradus.gpu.runtime.DeviceMemory;
import io.gradus.gpu.runtime.Kernel;
import io.gradus.gpu.runtime.Launcher;
import io.gradus.gpu.runtime.TornadoStorage;
import io.gradus.gpu.runtime.Workspace;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import uk.ac.manchester.tornado.api.KernelContext;
import uk.ac.manchester.tornado.api.types.arrays.FloatArray;
import uk.ac.manchester.tornado.api.types.arrays.IntArray;
import uk.ac.manchester.tornado.api.types.arrays.ShortArray;

/**
 * {@link CastKernels}. A kernel can store the bits of a float as an integer and the reverse, but cannot compute with
 * them. Therefore rounding to 16 bits takes two launches, the first of which only stores the bits. A conversion between
 * two dtypes other than F32 goes through F32. The host converts F64, in which no kernel computes, and U8.
 */
final class Cast implements CastKernels {
    private static final Kernel FROM_INT = Kernel.of("i32_to_f32", Cast::fromIntKernel);
    private static final Kernel TO_INT = Kernel.of("f32_to_i32", Cast::toIntKernel);
    private static final Kernel FROM_BFLOAT16 = Kernel.of("bf16_to_f32", Cast::fromBFloat16Kernel);
    private static final Kernel FROM_FLOAT16 = Kernel.of("f16_to_f32", Cast::fromFloat16Kernel);
    private static final Kernel BITS = Kernel.of("f32_bits", Cast::bitsKernel);
    private static final Kernel TO_BFLOAT16 = Kernel.of("bits_to_bf16", Cast::toBFloat16Kernel);
    private static final Kernel TO_FLOAT16 = Kernel.of("bits_to_f16", Cast::toFloat16Kernel);
    /** The number of elements whose bits are stored at a time. */
    private static final long BITS_AT_ONCE = 1 << 20;

    // The descriptor: where the operands begin, then the integers of the launch.
    private static final int X = 0;
    private static final int OUT = 1;
    private static final int N = Kernel.INTS;

    private final Launcher launcher;

    Cast(Launcher launcher) {
        this.launcher = launcher;
    }

    @Override
    public void cast(Tensor x, Tensor out) {
        if (out.dtype() == DType.I32) {
            TornadoStorage.of(out).setHostCopy(null);
        }
        if (x.dtype() == out.dtype()) {
            copy(x, out);
        } else if (isOfTheHost(x.dtype()) || isOfTheHost(out.dtype())) {
            onHost(x, out);
        } else if (out.dtype() == DType.F32) {
            launcher.run(widening(x.dtype()), x.size(), ints(x.size()), floats(), x, out);
        } else if (x.dtype() == DType.F32) {
            narrow(x, out);
        } else {
            try (Workspace wide = Workspace.of(x, DType.F32, x.shape())) {
                cast(x, wide.tensor());
                cast(wide.tensor(), out);
            }
        }
    }

    /** Only readers and writers of files convert F64 and the 8-bit codes of optimizers. */
    private static boolean isOfTheHost(DType dtype) {
        return dtype == DType.F64 || dtype == DType.U8;
    }

    private void copy(Tensor x, Tensor out) {
        long count = x.size() * DeviceMemory.words(x.dtype());
        launcher.run(Copy.of(TornadoStorage.of(x).arena().array()), count, ints(count), floats(), x, out);
    }

    private static Kernel widening(DType from) {
        return switch (from) {
            case BF16 -> FROM_BFLOAT16;
            case F16 -> FROM_FLOAT16;
            case I32 -> FROM_INT;
            case F32, F64, U8 -> throw new IllegalArgumentException("cast: " + from + " is not narrower than F32");
        };
    }

    private void narrow(Tensor x, Tensor out) {
        if (out.dtype() == DType.I32) {
            launcher.run(TO_INT, x.size(), ints(x.size()), floats(), x, out);
            return;
        }
        Tensor source = x.reshape(x.size());
        Tensor target = out.reshape(x.size());
        long most = Math.min(x.size(), BITS_AT_ONCE);
        Kernel rounding = out.dtype() == DType.BF16 ? TO_BFLOAT16 : TO_FLOAT16;
        try (Workspace bits = Workspace.of(x, DType.I32, Shape.of(most))) {
            for (long from = 0; from < x.size(); from += most) {
                long n = Math.min(most, x.size() - from);
                launcher.run(BITS, n, ints(n), floats(), source.slice(from, from + n), bits.tensor());
                launcher.run(rounding, n, ints(n), floats(), bits.tensor(), target.slice(from, from + n));
            }
        }
    }

    private static void onHost(Tensor x, Tensor out) {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment from = arena.allocate(Math.max(1, x.byteSize()), 8).asSlice(0, x.byteSize());
            MemorySegment to = arena.allocate(Math.max(1, out.byteSize()), 8).asSlice(0, out.byteSize());
            x.backend().download(x, from);
            HostCast.convert(from, x.dtype(), to, out.dtype(), x.size());
            out.backend().upload(to, out);
        }
    }

    private static void fromIntKernel(KernelContext c, IntArray d, FloatArray s, IntArray x, FloatArray out) {
        int i = c.globalIdx;
        if (i < d.get(N)) {
            out.set(d.get(OUT) + i, (float) x.get(d.get(X) + i));
        }
    }

    /** As in Java: NaN becomes 0, and numbers out of range become the nearest int. */
    private static void toIntKernel(KernelContext c, IntArray d, FloatArray s, FloatArray x, IntArray out) {
        int i = c.globalIdx;
        if (i < d.get(N)) {
            float value = x.get(d.get(X) + i);
            int whole = 0;
            if (value > 0x1.fffffep30f) {
                whole = Integer.MAX_VALUE;
            } else if (value < -0x1p31f) {
                whole = Integer.MIN_VALUE;
            } else if (!Float.isNaN(value)) {
                whole = (int) value;
            }
            out.set(d.get(OUT) + i, whole);
        }
    }

    private static void fromBFloat16Kernel(KernelContext c, IntArray d, FloatArray s, ShortArray x, FloatArray out) {
        int i = c.globalIdx;
        if (i < d.get(N)) {
            widenBFloat16(x.get(d.get(X) + i), out, d.get(OUT) + i);
        }
    }

    private static void fromFloat16Kernel(KernelContext c, IntArray d, FloatArray s, ShortArray x, FloatArray out) {
        int i = c.globalIdx;
        if (i < d.get(N)) {
            widenFloat16(x.get(d.get(X) + i), out, d.get(OUT) + i);
        }
    }

    /** For kernels: stores a BF16 as F32, of which it is the upper half. */
    static void widenBFloat16(short half, FloatArray out, int at) {
        out.set(at, Float.intBitsToFloat(half << 16));
    }

    /**
     * For kernels: stores an F16 as F32. Exponents are 112 larger in F32. Subnormal numbers are multiples of 2⁻²⁴. The
     * rest are infinities and NaN.
     */
    static void widenFloat16(short bits, FloatArray out, int at) {
        int half = bits & 0xFFFF;
        int sign = (half & 0x8000) << 16;
        int exponent = half >> 10 & 31;
        int mantissa = half & 0x3FF;
        if (exponent == 0) {
            float value = mantissa * 0x1p-24f;
            out.set(at, sign != 0 ? -value : value);
        } else {
            int wide = exponent == 31 ? 255 : exponent + 112;
            out.set(at, Float.intBitsToFloat(sign | wide << 23 | mantissa << 13));
        }
    }

    private static void bitsKernel(KernelContext c, IntArray d, FloatArray s, FloatArray x, IntArray bits) {
        int i = c.globalIdx;
        if (i < d.get(N)) {
            bits.set(d.get(OUT) + i, Float.floatToRawIntBits(x.get(d.get(X) + i)));
        }
    }

    /**
     * The upper half of an F32, rounded to nearest, ties to even. A NaN gets the quiet bit, so that it does not become
     * infinite.
     */
    private static void toBFloat16Kernel(KernelContext c, IntArray d, FloatArray s, IntArray bits, ShortArray out) {
        int i = c.globalIdx;
        if (i < d.get(N)) {
            int b = bits.get(d.get(X) + i);
            int rounded = b + 0x7FFF + (b >>> 16 & 1);
            if ((b & 0x7FFF_FFFF) > 0x7F80_0000) {
                rounded = b | 0x40_0000;
            }
            out.set(d.get(OUT) + i, (short) (rounded >>> 16));
        }
    }

    /** Rounds to nearest, ties to even, in three ranges: too large, normal, and subnormal (a multiple of 2⁻²⁴). */
    private static void toFloat16Kernel(KernelContext c, IntArray d, FloatArray s, IntArray bits, ShortArray out) {
        int i = c.globalIdx;
        if (i < d.get(N)) {
            int b = bits.get(d.get(X) + i);
            int sign = b >>> 16 & 0x8000;
            int magnitude = b & 0x7FFF_FFFF;
            int half = 0;
            if (magnitude > 0x7F80_0000) {
                half = 0x7E00;
            } else if (magnitude >= 0x477F_F000) {
                half = 0x7C00;
            } else if (magnitude >= 0x3880_0000) {
                int normal = magnitude - 0x3800_0000;
                half = normal + 0xFFF + (normal >>> 13 & 1) >>> 13;
            } else if (magnitude >= 0x3300_0000) {
                int shift = 126 - (magnitude >>> 23);
                int mantissa = magnitude & 0x7F_FFFF | 0x80_0000;
                half = mantissa + (1 << shift - 1) - 1 + (mantissa >>> shift & 1) >>> shift;
            }
            out.set(d.get(OUT) + i, (short) (sign | half));
        }
    }
}
