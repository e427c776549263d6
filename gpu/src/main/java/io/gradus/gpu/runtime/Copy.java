package io.gradus.gpu.runtime;

import uk.ac.manchester.tornado.api.KernelContext;
import uk.ac.manchester.tornado.api.types.arrays.ByteArray;
import uk.ac.manchester.tornado.api.types.arrays.FloatArray;
import uk.ac.manchester.tornado.api.types.arrays.IntArray;
import uk.ac.manchester.tornado.api.types.arrays.ShortArray;
import uk.ac.manchester.tornado.api.types.arrays.TornadoNativeArray;

/** Kernels that copy elements from one array to another array of the same type. Their only integer is the number of elements. */
public final class Copy {
    private static final Kernel FLOATS = Kernel.of("copy_floats", Copy::floatsKernel);
    private static final Kernel INTS = Kernel.of("copy_ints", Copy::intsKernel);
    private static final Kernel SHORTS = Kernel.of("copy_shorts", Copy::shortsKernel);
    private static final Kernel BYTES = Kernel.of("copy_bytes", Copy::bytesKernel);

    // The descriptor: where the operands begin, then the integer of the launch.
    private static final int X = 0;
    private static final int OUT = 1;
    private static final int N = Kernel.INTS;

    private Copy() {}

    /** The kernel for arrays of this type. */
    public static Kernel of(TornadoNativeArray array) {
        return switch (array) {
            case FloatArray _ -> FLOATS;
            case IntArray _ -> INTS;
            case ShortArray _ -> SHORTS;
            case ByteArray _ -> BYTES;
            default -> throw new IllegalArgumentException("gpu: no kernel copies " + array.getClass());
        };
    }

    private static void floatsKernel(KernelContext c, IntArray d, FloatArray s, FloatArray x, FloatArray out) {
        int i = c.globalIdx;
        if (i < d.get(N)) {
            out.set(d.get(OUT) + i, x.get(d.get(X) + i));
        }
    }

    private static void intsKernel(KernelContext c, IntArray d, FloatArray s, IntArray x, IntArray out) {
        int i = c.globalIdx;
        if (i < d.get(N)) {
            out.set(d.get(OUT) + i, x.get(d.get(X) + i));
        }
    }

    private static void shortsKernel(KernelContext c, IntArray d, FloatArray s, ShortArray x, ShortArray out) {
        int i = c.globalIdx;
        if (i < d.get(N)) {
            out.set(d.get(OUT) + i, x.get(d.get(X) + i));
        }
    }

    private static void bytesKernel(KernelContext c, IntArray d, FloatArray s, ByteArray x, ByteArray out) {
        int i = c.globalIdx;
        if (i < d.get(N)) {
            out.set(d.get(OUT) + i, x.get(d.get(X) + i));
        }
    }
}
