package io.gradus.core.cpu.vector.elementwise;

import static io.gradus.core.cpu.vector.elementwise.Runs.whole;

import io.gradus.core.GradientBuffer;
import io.gradus.core.Shape;
import io.gradus.core.Tensor;
import io.gradus.core.cpu.common.StridedView;
import io.gradus.core.cpu.common.Workers;
import io.gradus.core.cpu.vector.Lanes;
import io.gradus.core.cpu.vector.VectorMath;
import io.gradus.core.cpu.vector.elementwise.Runs.Operand;
import io.gradus.core.cpu.vector.elementwise.Runs.Result;
import io.gradus.core.kernel.ElementwiseKernels;
import java.lang.foreign.MemorySegment;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.VectorMask;
import jdk.incubator.vector.VectorOperators;

/**
 * Functions applied to each element, directly in memory ({@link Runs}). Functions of one argument are in {@link Activations}.
 * Broadcasts that repeat every few elements, and functions without vector instructions, use
 * {@link io.gradus.core.cpu.scalar.Elementwise}.
 */
public final class Elementwise implements ElementwiseKernels {
    private static final long SHORT_RUN = 32;
    private static final FloatVector INT_ONE = Lanes.broadcast(Float.intBitsToFloat(1));

    private final Workers workers;
    private final ElementwiseKernels scalar;

    public Elementwise(Workers workers) {
        this.workers = workers;
        this.scalar = new io.gradus.core.cpu.scalar.Elementwise(workers);
    }

    /** {@code out = f(x)} over {@code n} elements, whole vectors; each tensor has its own offset. */
    @FunctionalInterface
    public interface Loop {
        void run(MemorySegment x, long xAt, MemorySegment out, long at, int n);
    }

    /** {@code out = f(a, b)}, likewise. */
    @FunctionalInterface
    interface Loop2 {
        void run(MemorySegment a, long aAt, MemorySegment b, long bAt, MemorySegment out, long at, int n);
    }

    private void run(Loop loop, Tensor x, Tensor out, boolean accumulate) {
        Operand source = Operand.of(x, out.shape(), 0);
        Result result = Result.of(out, accumulate, 1);
        Runs.forEach(workers, out.size(), new Operand[] {source}, new Result[] {result}, (at, n) -> {
            MemorySegment in = source.memory(at, n);
            loop.run(in, source.at(at, n), result.memory(n), result.at(at, n), whole(n));
        });
    }

    private void run(Loop2 loop, Tensor a, Tensor b, Tensor out, boolean accumulate) {
        Operand left = Operand.of(a, out.shape(), 0);
        Operand right = Operand.of(b, out.shape(), 1);
        Result result = Result.of(out, accumulate, 2);
        Runs.forEach(workers, out.size(), new Operand[] {left, right}, new Result[] {result}, (at, n) -> {
            MemorySegment x = left.memory(at, n);
            MemorySegment y = right.memory(at, n);
            loop.run(x, left.at(at, n), y, right.at(at, n), result.memory(n), result.at(at, n), whole(n));
        });
    }

    @Override
    public void unary(Unary op, Tensor x, Tensor out) {
        if (op == Unary.SIN || op == Unary.COS) {
            scalar.unary(op, x, out);
        } else {
            run(Activations.forward(op), x, out, false);
        }
    }

    @Override
    public void unaryBackward(Unary op, Tensor x, Tensor y, Tensor dy, Tensor dx, boolean accumulate) {
        if (op == Unary.SIN || op == Unary.COS || op == Unary.SIGN) {
            scalar.unaryBackward(op, x, y, dy, dx, accumulate);
        } else {
            run(Activations.backward(op), Activations.needsResult(op) ? y : x, dy, dx, accumulate);
        }
    }

    @Override
    public void swiglu(Tensor gate, Tensor up, Tensor out) {
        run(Activations::swiglu, gate, up, out, false);
    }

    @Override
    public void swigluBackward(Tensor gate, Tensor up, Tensor dy, GradientBuffer dgate, GradientBuffer dup) {
        Operand gates = Operand.of(gate, dy.shape(), 0);
        Operand ups = Operand.of(up, dy.shape(), 1);
        Operand outer = Operand.of(dy, dy.shape(), 2);
        Result toGate = Result.of(dgate.gradient(), dgate.accumulate(), 3);
        Result toUp = Result.of(dup.gradient(), dup.accumulate(), 4);
        Operand[] operands = {gates, ups, outer};
        Runs.forEach(workers, dy.size(), operands, new Result[] {toGate, toUp}, (at, n) -> {
            Activations.swigluBackward(
                    gates.memory(at, n),
                    ups.memory(at, n),
                    outer.memory(at, n),
                    gates.at(at, n),
                    toGate.memory(n),
                    toGate.at(at, n),
                    toUp.memory(n),
                    toUp.at(at, n),
                    whole(n));
        });
    }

    @Override
    public void binary(Binary op, Tensor a, Tensor b, Tensor out, boolean accumulate) {
        if (op == Binary.POW || op == Binary.XLOGY || hasShortRuns(out.shape(), a, b)) {
            scalar.binary(op, a, b, out, accumulate);
        } else {
            run(loop(op), a, b, out, accumulate);
        }
    }

    /** Whether an operand, broadcast to a shape, repeats every few elements. */
    private static boolean hasShortRuns(Shape shape, Tensor... operands) {
        for (Tensor operand : operands) {
            long run = StridedView.broadcast(operand.shape(), shape).innerLength();
            if (run < Math.min(shape.size(), SHORT_RUN)) {
                return true;
            }
        }
        return false;
    }

    private static Loop2 loop(Binary op) {
        return switch (op) {
            case ADD -> Elementwise::add;
            case SUBTRACT -> Elementwise::subtract;
            case MULTIPLY -> Elementwise::multiply;
            case DIVIDE -> Elementwise::divide;
            case MINIMUM -> Elementwise::minimum;
            case MAXIMUM -> Elementwise::maximum;
            case POW, XLOGY -> throw new AssertionError(op);
        };
    }

    private static void add(MemorySegment a, long aAt, MemorySegment b, long bAt, MemorySegment out, long at, int n) {
        for (int i = 0; i < n; i += Lanes.COUNT) {
            Lanes.store(Lanes.load(a, aAt + i).add(Lanes.load(b, bAt + i)), out, at + i);
        }
    }

    private static void subtract(
            MemorySegment a, long aAt, MemorySegment b, long bAt, MemorySegment out, long at, int n) {
        for (int i = 0; i < n; i += Lanes.COUNT) {
            Lanes.store(Lanes.load(a, aAt + i).sub(Lanes.load(b, bAt + i)), out, at + i);
        }
    }

    private static void multiply(
            MemorySegment a, long aAt, MemorySegment b, long bAt, MemorySegment out, long at, int n) {
        for (int i = 0; i < n; i += Lanes.COUNT) {
            Lanes.store(Lanes.load(a, aAt + i).mul(Lanes.load(b, bAt + i)), out, at + i);
        }
    }

    private static void divide(
            MemorySegment a, long aAt, MemorySegment b, long bAt, MemorySegment out, long at, int n) {
        for (int i = 0; i < n; i += Lanes.COUNT) {
            Lanes.store(Lanes.load(a, aAt + i).div(Lanes.load(b, bAt + i)), out, at + i);
        }
    }

    private static void minimum(
            MemorySegment a, long aAt, MemorySegment b, long bAt, MemorySegment out, long at, int n) {
        for (int i = 0; i < n; i += Lanes.COUNT) {
            Lanes.store(Lanes.load(a, aAt + i).min(Lanes.load(b, bAt + i)), out, at + i);
        }
    }

    private static void maximum(
            MemorySegment a, long aAt, MemorySegment b, long bAt, MemorySegment out, long at, int n) {
        for (int i = 0; i < n; i += Lanes.COUNT) {
            Lanes.store(Lanes.load(a, aAt + i).max(Lanes.load(b, bAt + i)), out, at + i);
        }
    }

    @Override
    public void compare(Comparison op, Tensor a, Tensor b, Tensor out) {
        if (hasShortRuns(out.shape(), a, b)) {
            scalar.compare(op, a, b, out);
        } else {
            run(comparison(op), a, b, out, false);
        }
    }

    /** Each comparison has its own loop, with an operator that is constant for the JIT compiler. */
    private static Loop2 comparison(Comparison op) {
        return switch (op) {
            case EQ ->
                (a, aAt, b, bAt, out, at, n) -> {
                    for (int i = 0; i < n; i += Lanes.COUNT) {
                        storeMask(
                                Lanes.load(a, aAt + i).compare(VectorOperators.EQ, Lanes.load(b, bAt + i)),
                                out,
                                at + i);
                    }
                };
            case NE ->
                (a, aAt, b, bAt, out, at, n) -> {
                    for (int i = 0; i < n; i += Lanes.COUNT) {
                        storeMask(
                                Lanes.load(a, aAt + i).compare(VectorOperators.NE, Lanes.load(b, bAt + i)),
                                out,
                                at + i);
                    }
                };
            case LT -> Elementwise::less;
            case LE -> Elementwise::lessOrEqual;
            case GT -> (a, aAt, b, bAt, out, at, n) -> less(b, bAt, a, aAt, out, at, n);
            case GE -> (a, aAt, b, bAt, out, at, n) -> lessOrEqual(b, bAt, a, aAt, out, at, n);
        };
    }

    private static void less(MemorySegment a, long aAt, MemorySegment b, long bAt, MemorySegment out, long at, int n) {
        for (int i = 0; i < n; i += Lanes.COUNT) {
            storeMask(Lanes.load(a, aAt + i).compare(VectorOperators.LT, Lanes.load(b, bAt + i)), out, at + i);
        }
    }

    private static void lessOrEqual(
            MemorySegment a, long aAt, MemorySegment b, long bAt, MemorySegment out, long at, int n) {
        for (int i = 0; i < n; i += Lanes.COUNT) {
            storeMask(Lanes.load(a, aAt + i).compare(VectorOperators.LE, Lanes.load(b, bAt + i)), out, at + i);
        }
    }

    /** Writes the ints 1 and 0, which have the bits of the smallest float and of 0. */
    private static void storeMask(VectorMask<Float> mask, MemorySegment out, long at) {
        Lanes.store(VectorMath.ZERO.blend(INT_ONE, mask), out, at);
    }

    @Override
    public void affine(Tensor x, double scale, double shift, Tensor out, boolean accumulate) {
        if (hasShortRuns(out.shape(), x)) {
            scalar.affine(x, scale, shift, out, accumulate);
            return;
        }
        float factor = (float) scale;
        float summand = (float) shift;
        run((in, inAt, result, at, n) -> affine(in, inAt, factor, summand, result, at, n), x, out, accumulate);
    }

    private static void affine(MemorySegment x, long xAt, float scale, float shift, MemorySegment out, long at, int n) {
        FloatVector factor = Lanes.broadcast(scale);
        FloatVector summand = Lanes.broadcast(shift);
        for (int i = 0; i < n; i += Lanes.COUNT) {
            Lanes.store(Lanes.load(x, xAt + i).fma(factor, summand), out, at + i);
        }
    }

    @Override
    public void where(Tensor condition, Tensor a, Tensor b, Tensor out, boolean accumulate) {
        if (hasShortRuns(out.shape(), condition, a, b)) {
            scalar.where(condition, a, b, out, accumulate);
            return;
        }
        Operand choice = Operand.of(condition, out.shape(), 0);
        Operand left = Operand.of(a, out.shape(), 1);
        Operand right = Operand.of(b, out.shape(), 2);
        Result result = Result.of(out, accumulate, 3);
        Operand[] operands = {choice, left, right};
        Runs.forEach(workers, out.size(), operands, new Result[] {result}, (at, n) -> {
            MemorySegment c = choice.memory(at, n);
            MemorySegment x = left.memory(at, n);
            MemorySegment y = right.memory(at, n);
            choose(
                    c,
                    choice.at(at, n),
                    x,
                    left.at(at, n),
                    y,
                    right.at(at, n),
                    result.memory(n),
                    result.at(at, n),
                    whole(n));
        });
    }

    private static void choose(
            MemorySegment condition,
            long conditionAt,
            MemorySegment a,
            long aAt,
            MemorySegment b,
            long bAt,
            MemorySegment out,
            long at,
            int n) {
        for (int i = 0; i < n; i += Lanes.COUNT) {
            VectorMask<Float> first = Lanes.loadInts(condition, conditionAt + i)
                    .compare(VectorOperators.NE, 0)
                    .cast(Lanes.FLOATS);
            Lanes.store(Lanes.load(b, bAt + i).blend(Lanes.load(a, aAt + i), first), out, at + i);
        }
    }

    @Override
    public void fill(Tensor out, double value) {
        scalar.fill(out, value);
    }
}
