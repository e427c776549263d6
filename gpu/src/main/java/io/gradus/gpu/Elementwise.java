package io.gradus.gpu;

import static io.gradus.gpu.runtime.Launcher.flag;
import static io.gradus.gpu.runtime.Launcher.floats;
import static io.gradus.gpu.runtime.Launcher.ints;

import io.gradus.core.DType;
import io.gradus.core.HostCast;
import io.gradus.core.Tensor;
import io.gradus.core.kernel.ElementwiseKernels;
import io.gradus.gpu.math.Activations;
import io.gradus.gpu.runtime.Kernel;
import io.gradus.gpu.runtime.Launcher;
import io.gradus.gpu.runtime.TornadoStorage;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.Arrays;
import uk.ac.manchester.tornado.api.KernelContext;
import uk.ac.manchester.tornado.api.math.TornadoMath;
import uk.ac.manchester.tornado.api.types.arrays.ByteArray;
import uk.ac.manchester.tornado.api.types.arrays.FloatArray;
import uk.ac.manchester.tornado.api.types.arrays.IntArray;
import uk.ac.manchester.tornado.api.types.arrays.ShortArray;

/**
 * {@link ElementwiseKernels}, a work-item for each element. Operands are broadcast while they are read ({@link StridedView}).
 * Which function is meant is known at the launch: one kernel, compiled once, has them all, and all items take the same branch.
 */
final class Elementwise implements ElementwiseKernels {
    private static final Kernel UNARY = Kernel.of("unary", Elementwise::unaryKernel);
    private static final Kernel UNARY_BACKWARD = Kernel.of("unary_backward", Elementwise::unaryBackwardKernel);
    private static final Kernel BINARY = Kernel.of("binary", Elementwise::binaryKernel);
    private static final Kernel COMPARE = Kernel.of("compare", Elementwise::compareKernel);
    private static final Kernel AFFINE = Kernel.of("affine", Elementwise::affineKernel);
    private static final Kernel WHERE = Kernel.of("where", Elementwise::whereKernel);
    private static final Kernel SWIGLU = Kernel.of("swiglu", Elementwise::swigluKernel);
    private static final Kernel SWIGLU_BACKWARD = Kernel.of("swiglu_backward", Elementwise::swigluBackwardKernel);
    private static final Kernel FILL_FLOATS = Kernel.of("fill_floats", Elementwise::fillFloatsKernel);
    private static final Kernel FILL_INTS = Kernel.of("fill_ints", Elementwise::fillIntsKernel);
    private static final Kernel FILL_SHORTS = Kernel.of("fill_shorts", Elementwise::fillShortsKernel);
    private static final Kernel FILL_BYTES = Kernel.of("fill_bytes", Elementwise::fillBytesKernel);

    // The ordinals of Binary; the last is MAXIMUM.
    private static final int ADD = 0;
    private static final int SUBTRACT = 1;
    private static final int MULTIPLY = 2;
    private static final int DIVIDE = 3;
    private static final int POW = 4;
    private static final int XLOGY = 5;
    private static final int MINIMUM = 6;

    // The ordinals of Comparison; the last is GE.
    private static final int EQ = 0;
    private static final int NE = 1;
    private static final int LT = 2;
    private static final int LE = 3;
    private static final int GT = 4;

    private final Launcher launcher;

    Elementwise(Launcher launcher) {
        this.launcher = launcher;
    }

    // ---- functions of one number ----

    @Override
    public void unary(Unary op, Tensor x, Tensor out) {
        launcher.run(UNARY, out.size(), ints(out.size(), op.ordinal()), floats(), x, out);
    }

    private static void unaryKernel(KernelContext c, IntArray d, FloatArray s, FloatArray x, FloatArray out) {
        int i = c.globalIdx;
        if (i < d.get(2)) {
            out.set(d.get(1) + i, Activations.forward(d.get(3), x.get(d.get(0) + i)));
        }
    }

    @Override
    public void unaryBackward(Unary op, Tensor x, Tensor y, Tensor dy, Tensor dx, boolean accumulate) {
        int[] ints = ints(dx.size(), op.ordinal(), flag(accumulate));
        launcher.run(UNARY_BACKWARD, dx.size(), ints, floats(), Activations.needsResult(op) ? y : x, dy, dx);
    }

    private static void unaryBackwardKernel(
            KernelContext c, IntArray d, FloatArray s, FloatArray saved, FloatArray dy, FloatArray dx) {
        int i = c.globalIdx;
        if (i < d.get(3)) {
            float gradient = Activations.backward(d.get(4), saved.get(d.get(0) + i), dy.get(d.get(1) + i));
            Kernel.write(dx, d.get(2) + i, gradient, d.get(5));
        }
    }

    // ---- functions of several ----

    @Override
    public void binary(Binary op, Tensor a, Tensor b, Tensor out, boolean accumulate) {
        int[] ints = StridedView.describe(
                ints(out.size(), op.ordinal(), flag(accumulate)),
                StridedView.broadcast(a.shape(), out.shape()),
                StridedView.broadcast(b.shape(), out.shape()));
        launcher.run(BINARY, out.size(), ints, floats(), a, b, out);
    }

    private static void binaryKernel(
            KernelContext c, IntArray d, FloatArray s, FloatArray a, FloatArray b, FloatArray out) {
        int i = c.globalIdx;
        if (i < d.get(3)) {
            int view = 6;
            float x = a.get(d.get(0) + StridedView.source(d, view, i));
            float y = b.get(d.get(1) + StridedView.source(d, StridedView.next(d, view), i));
            Kernel.write(out, d.get(2) + i, binary(d.get(4), x, y), d.get(5));
        }
    }

    private static float binary(int op, float a, float b) {
        return switch (op) {
            case ADD -> a + b;
            case SUBTRACT -> a - b;
            case MULTIPLY -> a * b;
            case DIVIDE -> a / b;
            case POW -> TornadoMath.pow(a, b);
            case XLOGY -> a == 0 && b == b ? 0 : a * TornadoMath.log(b);
            case MINIMUM -> a < b || a != a ? a : b;
            default -> a > b || a != a ? a : b;
        };
    }

    @Override
    public void compare(Comparison op, Tensor a, Tensor b, Tensor out) {
        TornadoStorage.of(out).know(null);
        int[] ints = StridedView.describe(
                ints(out.size(), op.ordinal()),
                StridedView.broadcast(a.shape(), out.shape()),
                StridedView.broadcast(b.shape(), out.shape()));
        launcher.run(COMPARE, out.size(), ints, floats(), a, b, out);
    }

    private static void compareKernel(
            KernelContext c, IntArray d, FloatArray s, FloatArray a, FloatArray b, IntArray out) {
        int i = c.globalIdx;
        if (i < d.get(3)) {
            int view = 5;
            float x = a.get(d.get(0) + StridedView.source(d, view, i));
            float y = b.get(d.get(1) + StridedView.source(d, StridedView.next(d, view), i));
            out.set(d.get(2) + i, compare(d.get(4), x, y));
        }
    }

    /** Without {@code <=} and {@code >=}, which TornadoVM compiles to code that may be true for a NaN. */
    private static int compare(int op, float a, float b) {
        int less = a < b ? 1 : 0;
        int equal = a == b ? 1 : 0;
        int greater = a > b ? 1 : 0;
        return switch (op) {
            case EQ -> equal;
            case NE -> 1 - equal;
            case LT -> less;
            case LE -> less + equal;
            case GT -> greater;
            default -> greater + equal;
        };
    }

    @Override
    public void affine(Tensor x, double scale, double shift, Tensor out, boolean accumulate) {
        int[] ints =
                StridedView.describe(ints(out.size(), flag(accumulate)), StridedView.broadcast(x.shape(), out.shape()));
        launcher.run(AFFINE, out.size(), ints, floats(scale, shift), x, out);
    }

    private static void affineKernel(KernelContext c, IntArray d, FloatArray s, FloatArray x, FloatArray out) {
        int i = c.globalIdx;
        if (i < d.get(2)) {
            float value = s.get(0) * x.get(d.get(0) + StridedView.source(d, 4, i)) + s.get(1);
            Kernel.write(out, d.get(1) + i, value, d.get(3));
        }
    }

    @Override
    public void where(Tensor condition, Tensor a, Tensor b, Tensor out, boolean accumulate) {
        int[] ints = StridedView.describe(
                ints(out.size(), flag(accumulate)),
                StridedView.broadcast(condition.shape(), out.shape()),
                StridedView.broadcast(a.shape(), out.shape()),
                StridedView.broadcast(b.shape(), out.shape()));
        launcher.run(WHERE, out.size(), ints, floats(), condition, a, b, out);
    }

    private static void whereKernel(
            KernelContext c, IntArray d, FloatArray s, IntArray condition, FloatArray a, FloatArray b, FloatArray out) {
        int i = c.globalIdx;
        if (i < d.get(4)) {
            int view = 6;
            int chosen = condition.get(d.get(0) + StridedView.source(d, view, i));
            view = StridedView.next(d, view);
            float x = a.get(d.get(1) + StridedView.source(d, view, i));
            view = StridedView.next(d, view);
            float y = b.get(d.get(2) + StridedView.source(d, view, i));
            Kernel.write(out, d.get(3) + i, chosen != 0 ? x : y, d.get(5));
        }
    }

    @Override
    public void swiglu(Tensor gate, Tensor up, Tensor out) {
        launcher.run(SWIGLU, out.size(), ints(out.size()), floats(), gate, up, out);
    }

    private static void swigluKernel(
            KernelContext c, IntArray d, FloatArray s, FloatArray gate, FloatArray up, FloatArray out) {
        int i = c.globalIdx;
        if (i < d.get(3)) {
            out.set(d.get(2) + i, Activations.silu(gate.get(d.get(0) + i)) * up.get(d.get(1) + i));
        }
    }

    @Override
    public void swigluBackward(
            Tensor gate, Tensor up, Tensor dy, Tensor dgate, boolean accumulateGate, Tensor dup, boolean accumulateUp) {
        int[] ints = ints(dy.size(), flag(accumulateGate), flag(accumulateUp));
        launcher.run(SWIGLU_BACKWARD, dy.size(), ints, floats(), gate, up, dy, dgate, dup);
    }

    private static void swigluBackwardKernel(
            KernelContext c,
            IntArray d,
            FloatArray s,
            FloatArray gate,
            FloatArray up,
            FloatArray dy,
            FloatArray dgate,
            FloatArray dup) {
        int i = c.globalIdx;
        if (i < d.get(5)) {
            float x = gate.get(d.get(0) + i);
            float outer = dy.get(d.get(2) + i);
            float toGate = Activations.siluBackward(x, up.get(d.get(1) + i) * outer);
            float toUp = Activations.silu(x) * outer;
            Kernel.write(dgate, d.get(3) + i, toGate, d.get(6));
            Kernel.write(dup, d.get(4) + i, toUp, d.get(7));
        }
    }

    // ---- constants ----

    /** The host makes the bits of the value, the device repeats them; a double is two integers. */
    @Override
    public void fill(Tensor out, double value) {
        long n = out.size();
        if (out.dtype() == DType.F32) {
            launcher.run(FILL_FLOATS, n, ints(n), floats(value), out);
            return;
        }
        MemorySegment bits = MemorySegment.ofArray(new long[1]);
        HostCast.convert(MemorySegment.ofArray(new double[] {value}), DType.F64, bits, out.dtype(), 1);
        int low = bits.get(ValueLayout.JAVA_INT_UNALIGNED, 0);
        int high = bits.get(ValueLayout.JAVA_INT_UNALIGNED, 4);
        switch (out.dtype()) {
            case F64 -> launcher.run(FILL_INTS, 2 * n, ints(2 * n, low, high), floats(), out);
            case I32 -> {
                launcher.run(FILL_INTS, n, ints(n, low, low), floats(), out);
                remember(out, low);
            }
            case U8 -> launcher.run(FILL_BYTES, n, ints(n, low), floats(), out);
            default -> launcher.run(FILL_SHORTS, n, ints(n, low), floats(), out);
        }
    }

    private static void remember(Tensor out, int value) {
        boolean whole = out.byteSize() == out.storage().byteSize();
        int[] elements = whole ? new int[Math.toIntExact(out.size())] : null;
        if (elements != null) {
            Arrays.fill(elements, value);
        }
        TornadoStorage.of(out).know(elements);
    }

    private static void fillFloatsKernel(KernelContext c, IntArray d, FloatArray s, FloatArray out) {
        int i = c.globalIdx;
        if (i < d.get(1)) {
            out.set(d.get(0) + i, s.get(0));
        }
    }

    private static void fillIntsKernel(KernelContext c, IntArray d, FloatArray s, IntArray out) {
        int i = c.globalIdx;
        if (i < d.get(1)) {
            out.set(d.get(0) + i, d.get(2 + (i & 1)));
        }
    }

    private static void fillShortsKernel(KernelContext c, IntArray d, FloatArray s, ShortArray out) {
        int i = c.globalIdx;
        if (i < d.get(1)) {
            out.set(d.get(0) + i, (short) d.get(2));
        }
    }

    private static void fillBytesKernel(KernelContext c, IntArray d, FloatArray s, ByteArray out) {
        int i = c.globalIdx;
        if (i < d.get(1)) {
            out.set(d.get(0) + i, (byte) d.get(2));
        }
    }
}
