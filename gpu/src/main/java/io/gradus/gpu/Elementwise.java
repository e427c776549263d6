package io.gradus.gpu;

import static io.gradus.gpu.runtime.Launcher.flag;
import static io.gradus.gpu.runtime.Launcher.floats;
import static io.gradus.gpu.runtime.Launcher.ints;

import io.gradus.core.DType;
import io.gradus.core.GradientBuffer;
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
 * {@link ElementwiseKernels}, one element per work-item. Operands are broadcast while they are read ({@link
 * StridedView}). One compiled kernel contains all functions and reads from the descriptor which one to compute, so all
 * items take the same branch.
 */
@SuppressWarnings("EnumOrdinal") // a kernel identifies a function by its ordinal
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

    // The descriptor: where the operands begin, then the integers of the launch.
    private static final int DGATE = 0;
    private static final int DX = 0;
    private static final int OUT = 0;
    private static final int A = 1;
    private static final int GATE = 1;
    private static final int SAVED = 1;
    private static final int X = 1;
    private static final int B = 2;
    private static final int DY = 2;
    private static final int UP = 2;
    private static final int CONDITION = 3;
    private static final int DOUT = 3;
    private static final int DUP = 4;
    private static final int N = Kernel.INTS;
    private static final int OP = Kernel.INTS + 1;
    private static final int LOW = Kernel.INTS + 1;
    private static final int ACCUMULATE_UP = Kernel.INTS + 1;
    private static final int ACCUMULATE = Kernel.INTS + 2;
    private static final int HIGH = Kernel.INTS + 2;
    private static final int VIEWS = Kernel.INTS + 3;

    // The floats of the launch.
    private static final int SCALE = 0;
    private static final int VALUE = 0;
    private static final int SHIFT = 1;

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
        launcher.run(UNARY, out.size(), ints(out.size(), op.ordinal()), floats(), out, x);
    }

    private static void unaryKernel(KernelContext c, IntArray d, FloatArray s, FloatArray out, FloatArray x) {
        int i = c.globalIdx;
        if (i < d.get(N)) {
            out.set(d.get(OUT) + i, Activations.forward(d.get(OP), x.get(d.get(X) + i)));
        }
    }

    @Override
    public void unaryBackward(Unary op, Tensor x, Tensor y, Tensor dy, Tensor dx, boolean accumulate) {
        int[] ints = ints(dx.size(), op.ordinal(), flag(accumulate));
        launcher.run(UNARY_BACKWARD, dx.size(), ints, floats(), dx, Activations.needsResult(op) ? y : x, dy);
    }

    private static void unaryBackwardKernel(
            KernelContext c, IntArray d, FloatArray s, FloatArray dx, FloatArray saved, FloatArray dy) {
        int i = c.globalIdx;
        if (i < d.get(N)) {
            float gradient = Activations.backward(d.get(OP), saved.get(d.get(SAVED) + i), dy.get(d.get(DY) + i));
            Kernel.write(dx, d.get(DX) + i, gradient, d.get(ACCUMULATE));
        }
    }

    // ---- functions of several ----

    @Override
    public void binary(Binary op, Tensor a, Tensor b, Tensor out, boolean accumulate) {
        int[] ints = StridedView.describe(
                ints(out.size(), op.ordinal(), flag(accumulate)),
                StridedView.broadcast(a.shape(), out.shape()),
                StridedView.broadcast(b.shape(), out.shape()));
        launcher.run(BINARY, out.size(), ints, floats(), out, a, b);
    }

    private static void binaryKernel(
            KernelContext c, IntArray d, FloatArray s, FloatArray out, FloatArray a, FloatArray b) {
        int i = c.globalIdx;
        if (i < d.get(N)) {
            int view = VIEWS;
            float x = a.get(d.get(A) + StridedView.source(d, view, i));
            float y = b.get(d.get(B) + StridedView.source(d, StridedView.next(d, view), i));
            Kernel.write(out, d.get(OUT) + i, binary(d.get(OP), x, y), d.get(ACCUMULATE));
        }
    }

    private static float binary(int op, float a, float b) {
        return switch (op) {
            case ADD -> a + b;
            case SUBTRACT -> a - b;
            case MULTIPLY -> a * b;
            case DIVIDE -> a / b;
            case POW -> TornadoMath.pow(a, b);
            case XLOGY -> a == 0 && !Float.isNaN(b) ? 0 : a * TornadoMath.log(b);
            case MINIMUM -> a < b || Float.isNaN(a) ? a : b;
            default -> a > b || Float.isNaN(a) ? a : b;
        };
    }

    @Override
    public void compare(Comparison op, Tensor a, Tensor b, Tensor out) {
        TornadoStorage.of(out).setHostCopy(null);
        int[] ints = StridedView.describe(
                ints(out.size(), op.ordinal(), 0),
                StridedView.broadcast(a.shape(), out.shape()),
                StridedView.broadcast(b.shape(), out.shape()));
        launcher.run(COMPARE, out.size(), ints, floats(), out, a, b);
    }

    private static void compareKernel(
            KernelContext c, IntArray d, FloatArray s, IntArray out, FloatArray a, FloatArray b) {
        int i = c.globalIdx;
        if (i < d.get(N)) {
            int view = VIEWS;
            float x = a.get(d.get(A) + StridedView.source(d, view, i));
            float y = b.get(d.get(B) + StridedView.source(d, StridedView.next(d, view), i));
            out.set(d.get(OUT) + i, compare(d.get(OP), x, y));
        }
    }

    /** Avoids {@code <=} and {@code >=}, which TornadoVM may compile to code that is true for NaN. */
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
        int[] ints = StridedView.describe(
                ints(out.size(), 0, flag(accumulate)), StridedView.broadcast(x.shape(), out.shape()));
        launcher.run(AFFINE, out.size(), ints, floats(scale, shift), out, x);
    }

    private static void affineKernel(KernelContext c, IntArray d, FloatArray s, FloatArray out, FloatArray x) {
        int i = c.globalIdx;
        if (i < d.get(N)) {
            float value = s.get(SCALE) * x.get(d.get(X) + StridedView.source(d, VIEWS, i)) + s.get(SHIFT);
            Kernel.write(out, d.get(OUT) + i, value, d.get(ACCUMULATE));
        }
    }

    @Override
    public void where(Tensor condition, Tensor a, Tensor b, Tensor out, boolean accumulate) {
        int[] ints = StridedView.describe(
                ints(out.size(), 0, flag(accumulate)),
                StridedView.broadcast(condition.shape(), out.shape()),
                StridedView.broadcast(a.shape(), out.shape()),
                StridedView.broadcast(b.shape(), out.shape()));
        launcher.run(WHERE, out.size(), ints, floats(), out, a, b, condition);
    }

    private static void whereKernel(
            KernelContext c, IntArray d, FloatArray s, FloatArray out, FloatArray a, FloatArray b, IntArray condition) {
        int i = c.globalIdx;
        if (i < d.get(N)) {
            int view = VIEWS;
            int chosen = condition.get(d.get(CONDITION) + StridedView.source(d, view, i));
            view = StridedView.next(d, view);
            float x = a.get(d.get(A) + StridedView.source(d, view, i));
            view = StridedView.next(d, view);
            float y = b.get(d.get(B) + StridedView.source(d, view, i));
            Kernel.write(out, d.get(OUT) + i, chosen != 0 ? x : y, d.get(ACCUMULATE));
        }
    }

    @Override
    public void swiglu(Tensor gate, Tensor up, Tensor out) {
        launcher.run(SWIGLU, out.size(), ints(out.size()), floats(), out, gate, up);
    }

    private static void swigluKernel(
            KernelContext c, IntArray d, FloatArray s, FloatArray out, FloatArray gate, FloatArray up) {
        int i = c.globalIdx;
        if (i < d.get(N)) {
            out.set(d.get(OUT) + i, Activations.silu(gate.get(d.get(GATE) + i)) * up.get(d.get(UP) + i));
        }
    }

    @Override
    public void swigluBackward(Tensor gate, Tensor up, Tensor dy, GradientBuffer dgate, GradientBuffer dup) {
        int[] ints = ints(dy.size(), flag(dup.accumulate()), flag(dgate.accumulate()));
        launcher.run(SWIGLU_BACKWARD, dy.size(), ints, floats(), dgate.gradient(), gate, up, dy, dup.gradient());
    }

    private static void swigluBackwardKernel(
            KernelContext c,
            IntArray d,
            FloatArray s,
            FloatArray dgate,
            FloatArray gate,
            FloatArray up,
            FloatArray dy,
            FloatArray dup) {
        int i = c.globalIdx;
        if (i < d.get(N)) {
            float x = gate.get(d.get(GATE) + i);
            float outer = dy.get(d.get(DOUT) + i);
            float toGate = Activations.siluBackward(x, up.get(d.get(UP) + i) * outer);
            float toUp = Activations.silu(x) * outer;
            Kernel.write(dgate, d.get(DGATE) + i, toGate, d.get(ACCUMULATE));
            Kernel.write(dup, d.get(DUP) + i, toUp, d.get(ACCUMULATE_UP));
        }
    }

    // ---- constants ----

    /** The host converts the value to bits and the device repeats them; a double is two integers. */
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
        TornadoStorage.of(out).setHostCopy(elements);
    }

    private static void fillFloatsKernel(KernelContext c, IntArray d, FloatArray s, FloatArray out) {
        int i = c.globalIdx;
        if (i < d.get(N)) {
            out.set(d.get(OUT) + i, s.get(VALUE));
        }
    }

    private static void fillIntsKernel(KernelContext c, IntArray d, FloatArray s, IntArray out) {
        int i = c.globalIdx;
        if (i < d.get(N)) {
            out.set(d.get(OUT) + i, d.get((i & 1) == 0 ? LOW : HIGH));
        }
    }

    private static void fillShortsKernel(KernelContext c, IntArray d, FloatArray s, ShortArray out) {
        int i = c.globalIdx;
        if (i < d.get(N)) {
            out.set(d.get(OUT) + i, (short) d.get(LOW));
        }
    }

    private static void fillBytesKernel(KernelContext c, IntArray d, FloatArray s, ByteArray out) {
        int i = c.globalIdx;
        if (i < d.get(N)) {
            out.set(d.get(OUT) + i, (byte) d.get(LOW));
        }
    }
}
