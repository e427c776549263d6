package io.gradus.core.cpu.scalar;

import io.gradus.core.DType;
import io.gradus.core.GradientBuffer;
import io.gradus.core.HostCast;
import io.gradus.core.Tensor;
import io.gradus.core.cpu.common.CpuStorage;
import io.gradus.core.cpu.common.StridedView;
import io.gradus.core.cpu.common.Workers;
import io.gradus.core.kernel.ElementwiseKernels;
import io.gradus.core.reference.Functions;
import java.lang.foreign.MemorySegment;

/**
 * Functions applied to each element. Operands are broadcast when they are loaded ({@link StridedView}), so that loops run over
 * arrays of equal length. Functions of one argument are computed by the
 * reference, {@link Functions}.
 */
public final class Elementwise implements ElementwiseKernels {
    private static final int FILL = 1 << 16;

    private final Workers workers;

    public Elementwise(Workers workers) {
        this.workers = workers;
    }

    @Override
    public void unary(Unary op, Tensor x, Tensor out) {
        MemorySegment source = CpuStorage.of(x);
        MemorySegment target = CpuStorage.of(out);
        Chunks.elements(workers, x.size(), (_, from, n) -> {
            for (long i = from; i < from + n; i++) {
                CpuStorage.set(target, i, (float) Functions.value(op, CpuStorage.get(source, i)));
            }
        });
    }

    @Override
    public void unaryBackward(Unary op, Tensor x, Tensor y, Tensor dy, Tensor dx, boolean accumulate) {
        MemorySegment inputs = CpuStorage.of(x);
        MemorySegment outputs = CpuStorage.of(y);
        MemorySegment outer = CpuStorage.of(dy);
        MemorySegment target = CpuStorage.of(dx);
        Chunks.elements(workers, x.size(), (_, from, n) -> {
            for (long i = from; i < from + n; i++) {
                double slope = Functions.derivative(op, CpuStorage.get(inputs, i), CpuStorage.get(outputs, i));
                put(target, i, slope * CpuStorage.get(outer, i), accumulate);
            }
        });
    }

    private static void put(MemorySegment target, long i, double value, boolean accumulate) {
        CpuStorage.set(target, i, (float) (accumulate ? CpuStorage.get(target, i) + value : value));
    }

    /** {@code a = a op b} for the first n elements. */
    @FunctionalInterface
    private interface BinaryLoop {
        void run(float[] a, float[] b, int n);
    }

    @Override
    public void binary(Binary op, Tensor a, Tensor b, Tensor out, boolean accumulate) {
        BinaryLoop loop = loop(op);
        MemorySegment left = CpuStorage.of(a);
        MemorySegment right = CpuStorage.of(b);
        MemorySegment target = CpuStorage.of(out);
        StridedView leftView = StridedView.broadcast(a.shape(), out.shape());
        StridedView rightView = StridedView.broadcast(b.shape(), out.shape());
        Chunks.elements(workers, out.size(), (scratch, from, n) -> {
            float[] x = scratch.floats(0, n);
            float[] y = scratch.floats(1, n);
            leftView.load(left, from, x, n);
            rightView.load(right, from, y, n);
            loop.run(x, y, n);
            Chunks.write(scratch, x, target, from, n, accumulate);
        });
    }

    private static BinaryLoop loop(Binary op) {
        return switch (op) {
            case ADD -> FloatMath::add;
            case SUBTRACT -> Elementwise::subtract;
            case MULTIPLY -> FloatMath::multiply;
            case DIVIDE -> Elementwise::divide;
            case POW -> Elementwise::power;
            case MINIMUM -> Elementwise::minimum;
            case MAXIMUM -> Elementwise::maximum;
            case XLOGY -> Elementwise::xLogY;
        };
    }

    private static void subtract(float[] a, float[] b, int n) {
        for (int i = 0; i < n; i++) {
            a[i] -= b[i];
        }
    }

    private static void divide(float[] a, float[] b, int n) {
        for (int i = 0; i < n; i++) {
            a[i] /= b[i];
        }
    }

    private static void power(float[] a, float[] b, int n) {
        for (int i = 0; i < n; i++) {
            a[i] = (float) Math.pow(a[i], b[i]);
        }
    }

    private static void minimum(float[] a, float[] b, int n) {
        for (int i = 0; i < n; i++) {
            a[i] = Math.min(a[i], b[i]);
        }
    }

    private static void maximum(float[] a, float[] b, int n) {
        for (int i = 0; i < n; i++) {
            a[i] = Math.max(a[i], b[i]);
        }
    }

    private static void xLogY(float[] a, float[] b, int n) {
        for (int i = 0; i < n; i++) {
            a[i] = a[i] == 0 && !Float.isNaN(b[i]) ? 0 : (float) (a[i] * Math.log(b[i]));
        }
    }

    @Override
    public void compare(Comparison op, Tensor a, Tensor b, Tensor out) {
        MemorySegment left = CpuStorage.of(a);
        MemorySegment right = CpuStorage.of(b);
        MemorySegment target = CpuStorage.of(out);
        StridedView leftView = StridedView.broadcast(a.shape(), out.shape());
        StridedView rightView = StridedView.broadcast(b.shape(), out.shape());
        Chunks.elements(workers, out.size(), (scratch, from, n) -> {
            float[] x = scratch.floats(0, n);
            float[] y = scratch.floats(1, n);
            leftView.load(left, from, x, n);
            rightView.load(right, from, y, n);
            for (int i = 0; i < n; i++) {
                CpuStorage.setInt(target, from + i, holds(op, x[i], y[i]) ? 1 : 0);
            }
        });
    }

    private static boolean holds(Comparison op, float a, float b) {
        return switch (op) {
            case EQ -> a == b;
            case NE -> a != b;
            case LT -> a < b;
            case LE -> a <= b;
            case GT -> a > b;
            case GE -> a >= b;
        };
    }

    @Override
    public void affine(Tensor x, double scale, double shift, Tensor out, boolean accumulate) {
        MemorySegment source = CpuStorage.of(x);
        MemorySegment target = CpuStorage.of(out);
        StridedView view = StridedView.broadcast(x.shape(), out.shape());
        float factor = (float) scale;
        float summand = (float) shift;
        Chunks.elements(workers, out.size(), (scratch, from, n) -> {
            float[] values = scratch.floats(0, n);
            view.load(source, from, values, n);
            affine(values, factor, summand, n);
            Chunks.write(scratch, values, target, from, n, accumulate);
        });
    }

    private static void affine(float[] x, float scale, float shift, int n) {
        for (int i = 0; i < n; i++) {
            x[i] = Math.fma(x[i], scale, shift);
        }
    }

    @Override
    public void where(Tensor condition, Tensor a, Tensor b, Tensor out, boolean accumulate) {
        MemorySegment choice = CpuStorage.of(condition);
        MemorySegment left = CpuStorage.of(a);
        MemorySegment right = CpuStorage.of(b);
        MemorySegment target = CpuStorage.of(out);
        StridedView choiceView = StridedView.broadcast(condition.shape(), out.shape());
        StridedView leftView = StridedView.broadcast(a.shape(), out.shape());
        StridedView rightView = StridedView.broadcast(b.shape(), out.shape());
        Chunks.elements(workers, out.size(), (scratch, from, n) -> {
            int[] chosen = new int[n];
            float[] x = scratch.floats(0, n);
            float[] y = scratch.floats(1, n);
            choiceView.loadInts(choice, from, chosen, n);
            leftView.load(left, from, x, n);
            rightView.load(right, from, y, n);
            choose(chosen, x, y, n);
            Chunks.write(scratch, x, target, from, n, accumulate);
        });
    }

    // A mask, for the same reason as in the derivative of RELU.
    private static void choose(int[] condition, float[] a, float[] b, int n) {
        for (int i = 0; i < n; i++) {
            int mask = (condition[i] | -condition[i]) >> 31;
            int bits = (Float.floatToRawIntBits(a[i]) & mask) | (Float.floatToRawIntBits(b[i]) & ~mask);
            a[i] = Float.intBitsToFloat(bits);
        }
    }

    @Override
    public void swiglu(Tensor gate, Tensor up, Tensor out) {
        MemorySegment gates = CpuStorage.of(gate);
        MemorySegment ups = CpuStorage.of(up);
        MemorySegment target = CpuStorage.of(out);
        Chunks.elements(workers, out.size(), (_, from, n) -> {
            for (long i = from; i < from + n; i++) {
                double silu = Functions.value(Unary.SILU, CpuStorage.get(gates, i));
                CpuStorage.set(target, i, (float) (silu * CpuStorage.get(ups, i)));
            }
        });
    }

    @Override
    public void swigluBackward(Tensor gate, Tensor up, Tensor dy, GradientBuffer dgate, GradientBuffer dup) {
        MemorySegment gates = CpuStorage.of(gate);
        MemorySegment ups = CpuStorage.of(up);
        MemorySegment outer = CpuStorage.of(dy);
        MemorySegment toGate = CpuStorage.of(dgate.gradient());
        MemorySegment toUp = CpuStorage.of(dup.gradient());
        Chunks.elements(workers, dy.size(), (_, from, n) -> {
            for (long i = from; i < from + n; i++) {
                double x = CpuStorage.get(gates, i);
                double silu = Functions.value(Unary.SILU, x);
                double gradient = CpuStorage.get(outer, i);
                double gateGradient = Functions.derivative(Unary.SILU, x, silu) * CpuStorage.get(ups, i) * gradient;
                put(toGate, i, gateGradient, dgate.accumulate());
                put(toUp, i, silu * gradient, dup.accumulate());
            }
        });
    }

    @Override
    public void fill(Tensor out, double value) {
        MemorySegment target = CpuStorage.of(out);
        MemorySegment source = MemorySegment.ofArray(new double[] {value});
        int width = out.dtype().bytes();
        workers.forEach(out.size(), FILL, (from, to) -> {
            MemorySegment part = target.asSlice(from * width, (to - from) * width);
            HostCast.convert(source, DType.F64, part, out.dtype(), 1);
            for (long filled = width; filled < part.byteSize(); filled *= 2) {
                long count = Math.min(filled, part.byteSize() - filled);
                MemorySegment.copy(part, 0, part, filled, count);
            }
        });
    }
}
