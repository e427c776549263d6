package io.gradus.core.cpu.vector.elementwise;

import static io.gradus.core.cpu.vector.VectorMath.ONE;
import static io.gradus.core.cpu.vector.VectorMath.ZERO;

import io.gradus.core.cpu.common.Scratch;
import io.gradus.core.cpu.vector.Lanes;
import io.gradus.core.cpu.vector.VectorMath;
import io.gradus.core.cpu.vector.elementwise.Elementwise.Loop;
import io.gradus.core.cpu.vector.elementwise.Elementwise.Loop2;
import io.gradus.core.kernel.ElementwiseKernels.Unary;
import java.lang.foreign.MemorySegment;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.VectorMask;
import jdk.incubator.vector.VectorOperators;

/**
 * Functions of one argument and their derivatives. Each has its own loop over {@code n} elements, whole vectors only. A function
 * passed to a common loop would take and return its vectors as objects.
 *
 * <p>Sigmoids are computed from {@code e = exp(−|v|)}, without overflow or cancellation:
 * {@code σ(|v|) = 1/(1 + e)} and {@code σ(−|v|) = e/(1 + e)}. One division suffices for a function and its derivative.
 */
public final class Activations {
    /** Elements in the first-level cache between two loops. */
    private static final int BLOCK = 2048;

    // The tanh form of GELU: 2u = x(A + Bx²) with A = 2√(2/π) and B = 0.044715·A.
    private static final FloatVector A = Lanes.broadcast(1.5957691f);
    private static final FloatVector B = Lanes.broadcast(0.071354814f);
    private static final FloatVector THREE_B = Lanes.broadcast(3 * 0.071354814f);
    private static final FloatVector BELL_HEIGHT = Lanes.broadcast(0.3989423f); // 1/√(2π)

    private Activations() {}

    /** {@code y = f(x)}. */
    public static Loop forward(Unary op) {
        return switch (op) {
            case EXP -> Activations::exp;
            case LOG -> Activations::log;
            case SQRT -> Activations::sqrt;
            case ABS -> Activations::abs;
            case SIGN -> Activations::sign;
            case SIN, COS -> throw new AssertionError(op);
            case TANH -> Activations::tanh;
            case SIGMOID -> Activations::sigmoid;
            case RELU -> Activations::relu;
            case GELU -> Activations::gelu;
            case GELU_TANH -> Activations::geluTanh;
            case SILU -> Activations::silu;
        };
    }

    /** {@code dx = f′·dy}, with f′ from the first operand: the input or the result, as {@link #needsResult} says. */
    static Loop2 backward(Unary op) {
        return switch (op) {
            case EXP -> Activations::expBackward;
            case LOG -> Activations::logBackward;
            case SQRT -> Activations::sqrtBackward;
            case ABS -> Activations::absBackward;
            case SIGN, SIN, COS -> throw new AssertionError(op);
            case TANH -> Activations::tanhBackward;
            case SIGMOID -> Activations::sigmoidBackward;
            case RELU -> Activations::reluBackward;
            case GELU -> Activations::geluBackward;
            case GELU_TANH -> Activations::geluTanhBackward;
            case SILU -> Activations::siluBackward;
        };
    }

    /** Whether the derivative is computed from the result instead of the input. */
    static boolean needsResult(Unary op) {
        return switch (op) {
            case EXP, SQRT, TANH, SIGMOID, RELU -> true;
            case LOG, ABS, SIGN, SIN, COS, GELU, GELU_TANH, SILU -> false;
        };
    }

    private static void exp(MemorySegment x, long xAt, MemorySegment y, long at, int n) {
        for (int i = 0; i < n; i += Lanes.COUNT) {
            Lanes.store(VectorMath.exp(Lanes.load(x, xAt + i)), y, at + i);
        }
    }

    private static void expBackward(
            MemorySegment y, long yAt, MemorySegment dy, long dyAt, MemorySegment dx, long at, int n) {
        for (int i = 0; i < n; i += Lanes.COUNT) {
            Lanes.store(Lanes.load(y, yAt + i).mul(Lanes.load(dy, dyAt + i)), dx, at + i);
        }
    }

    private static void log(MemorySegment x, long xAt, MemorySegment y, long at, int n) {
        for (int i = 0; i < n; i += Lanes.COUNT) {
            Lanes.store(VectorMath.log(Lanes.load(x, xAt + i)), y, at + i);
        }
    }

    private static void logBackward(
            MemorySegment x, long xAt, MemorySegment dy, long dyAt, MemorySegment dx, long at, int n) {
        for (int i = 0; i < n; i += Lanes.COUNT) {
            Lanes.store(Lanes.load(dy, dyAt + i).div(Lanes.load(x, xAt + i)), dx, at + i);
        }
    }

    private static void sqrt(MemorySegment x, long xAt, MemorySegment y, long at, int n) {
        for (int i = 0; i < n; i += Lanes.COUNT) {
            Lanes.store(Lanes.load(x, xAt + i).sqrt(), y, at + i);
        }
    }

    private static void sqrtBackward(
            MemorySegment y, long yAt, MemorySegment dy, long dyAt, MemorySegment dx, long at, int n) {
        for (int i = 0; i < n; i += Lanes.COUNT) {
            Lanes.store(Lanes.load(dy, dyAt + i).mul(0.5f).div(Lanes.load(y, yAt + i)), dx, at + i);
        }
    }

    private static void abs(MemorySegment x, long xAt, MemorySegment y, long at, int n) {
        for (int i = 0; i < n; i += Lanes.COUNT) {
            Lanes.store(Lanes.load(x, xAt + i).abs(), y, at + i);
        }
    }

    private static void absBackward(
            MemorySegment x, long xAt, MemorySegment dy, long dyAt, MemorySegment dx, long at, int n) {
        for (int i = 0; i < n; i += Lanes.COUNT) {
            FloatVector in = Lanes.load(x, xAt + i);
            FloatVector out = Lanes.load(dy, dyAt + i);
            FloatVector positive = ZERO.blend(out, in.compare(VectorOperators.GT, ZERO));
            Lanes.store(positive.blend(out.neg(), in.compare(VectorOperators.LT, ZERO)), dx, at + i);
        }
    }

    private static void sign(MemorySegment x, long xAt, MemorySegment y, long at, int n) {
        for (int i = 0; i < n; i += Lanes.COUNT) {
            FloatVector in = Lanes.load(x, xAt + i);
            FloatVector positive = ZERO.blend(ONE, in.compare(VectorOperators.GT, ZERO));
            Lanes.store(positive.blend(ONE.neg(), in.compare(VectorOperators.LT, ZERO)), y, at + i);
        }
    }

    private static void tanh(MemorySegment x, long xAt, MemorySegment y, long at, int n) {
        for (int i = 0; i < n; i += Lanes.COUNT) {
            Lanes.store(VectorMath.tanh(Lanes.load(x, xAt + i)), y, at + i);
        }
    }

    private static void tanhBackward(
            MemorySegment y, long yAt, MemorySegment dy, long dyAt, MemorySegment dx, long at, int n) {
        for (int i = 0; i < n; i += Lanes.COUNT) {
            FloatVector t = Lanes.load(y, yAt + i);
            Lanes.store(Lanes.load(dy, dyAt + i).mul(ONE.sub(t.mul(t))), dx, at + i);
        }
    }

    private static void sigmoid(MemorySegment x, long xAt, MemorySegment y, long at, int n) {
        for (int i = 0; i < n; i += Lanes.COUNT) {
            Lanes.store(VectorMath.sigmoid(Lanes.load(x, xAt + i)), y, at + i);
        }
    }

    private static void sigmoidBackward(
            MemorySegment y, long yAt, MemorySegment dy, long dyAt, MemorySegment dx, long at, int n) {
        for (int i = 0; i < n; i += Lanes.COUNT) {
            FloatVector s = Lanes.load(y, yAt + i);
            Lanes.store(Lanes.load(dy, dyAt + i).mul(s.mul(ONE.sub(s))), dx, at + i);
        }
    }

    private static void relu(MemorySegment x, long xAt, MemorySegment y, long at, int n) {
        for (int i = 0; i < n; i += Lanes.COUNT) {
            Lanes.store(positive(Lanes.load(x, xAt + i)), y, at + i);
        }
    }

    private static void reluBackward(
            MemorySegment y, long yAt, MemorySegment dy, long dyAt, MemorySegment dx, long at, int n) {
        for (int i = 0; i < n; i += Lanes.COUNT) {
            VectorMask<Float> on = Lanes.load(y, yAt + i).compare(VectorOperators.GT, ZERO);
            Lanes.store(ZERO.blend(Lanes.load(dy, dyAt + i), on), dx, at + i);
        }
    }

    // x·Φ(x), where Φ(x) is the tail if x < 0, else 1 − tail: no cancellation on either side.
    // With z = −|x| that is max(x, 0) + z·Φ(z).
    private static void gelu(MemorySegment x, long xAt, MemorySegment y, long at, int n) {
        for (int i = 0; i < n; i += Lanes.COUNT) {
            FloatVector v = Lanes.load(x, xAt + i);
            FloatVector z = VectorMath.distanceFromMean(v);
            Lanes.store(VectorMath.normalTail(z).fma(z, positive(v)), y, at + i);
        }
    }

    // f(x) = Φ(x) + x·φ(x), for which f(−x) = 1 − f(x). In two loops, because one would exceed the JIT compiler's
    // inlining limits.
    private static void geluBackward(
            MemorySegment x, long xAt, MemorySegment dy, long dyAt, MemorySegment dx, long at, int n) {
        MemorySegment bells = Scratch.ofThread().memory(0, BLOCK);
        for (int from = 0; from < n; from += BLOCK) {
            int count = Math.min(BLOCK, n - from);
            bells(x, xAt + from, bells, count);
            geluBackward(x, xAt + from, bells, dy, dyAt + from, dx, at + from, count);
        }
    }

    private static void bells(MemorySegment x, long xAt, MemorySegment bells, int n) {
        for (int i = 0; i < n; i += Lanes.COUNT) {
            FloatVector z = VectorMath.distanceFromMean(Lanes.load(x, xAt + i));
            Lanes.store(VectorMath.bell(z), bells, i);
        }
    }

    private static void geluBackward(
            MemorySegment x,
            long xAt,
            MemorySegment bells,
            MemorySegment dy,
            long dyAt,
            MemorySegment dx,
            long at,
            int n) {
        for (int i = 0; i < n; i += Lanes.COUNT) {
            FloatVector v = Lanes.load(x, xAt + i);
            FloatVector z = VectorMath.distanceFromMean(v);
            FloatVector bell = Lanes.load(bells, i);
            FloatVector below = z.mul(BELL_HEIGHT).fma(bell, VectorMath.normalTail(z));
            FloatVector slope = below.blend(ONE.sub(below), v.compare(VectorOperators.GT, ZERO));
            Lanes.store(slope.mul(Lanes.load(dy, dyAt + i)), dx, at + i);
        }
    }

    // ½(1 + tanh u) is σ(2u), so y = x·σ(2u) with u = √(2/π)(x + 0.044715x³).
    private static void geluTanh(MemorySegment x, long xAt, MemorySegment y, long at, int n) {
        for (int i = 0; i < n; i += Lanes.COUNT) {
            FloatVector v = Lanes.load(x, xAt + i);
            FloatVector twice = v.mul(v).fma(B, A).mul(v);
            Lanes.store(timesSigmoid(v, twice), y, at + i);
        }
    }

    // σ(2u) + x·σ(2u)·σ(−2u)·2u′ with 2u′ = A + 3Bx². If e is 0, the second term is 0, even if x² overflows.
    private static void geluTanhBackward(
            MemorySegment x, long xAt, MemorySegment dy, long dyAt, MemorySegment dx, long at, int n) {
        for (int i = 0; i < n; i += Lanes.COUNT) {
            FloatVector v = Lanes.load(x, xAt + i);
            FloatVector square = v.mul(v);
            FloatVector twice = square.fma(B, A).mul(v);
            FloatVector slope = square.fma(THREE_B, A).mul(v);
            FloatVector e = VectorMath.expOfNonPositive(VectorMath.minusAbs(twice));
            FloatVector upper = ONE.div(e.add(ONE));
            FloatVector lower = e.mul(upper);
            FloatVector sigmoid = upper.blend(lower, v.compare(VectorOperators.LT, ZERO));
            FloatVector derivative = upper.mul(lower).fma(slope, sigmoid);
            derivative = derivative.blend(sigmoid, e.compare(VectorOperators.EQ, ZERO));
            Lanes.store(derivative.mul(Lanes.load(dy, dyAt + i)), dx, at + i);
        }
    }

    private static void silu(MemorySegment x, long xAt, MemorySegment y, long at, int n) {
        for (int i = 0; i < n; i += Lanes.COUNT) {
            FloatVector v = Lanes.load(x, xAt + i);
            Lanes.store(timesSigmoid(v, v), y, at + i);
        }
    }

    private static void siluBackward(
            MemorySegment x, long xAt, MemorySegment dy, long dyAt, MemorySegment dx, long at, int n) {
        for (int i = 0; i < n; i += Lanes.COUNT) {
            FloatVector v = Lanes.load(x, xAt + i);
            FloatVector e = VectorMath.expOfNonPositive(VectorMath.minusAbs(v));
            FloatVector upper = ONE.div(e.add(ONE));
            Lanes.store(siluDerivative(v, upper, e.mul(upper)).mul(Lanes.load(dy, dyAt + i)), dx, at + i);
        }
    }

    /** {@code out = silu(gate)·up}. */
    static void swiglu(
            MemorySegment gate, long gateAt, MemorySegment up, long upAt, MemorySegment out, long at, int n) {
        for (int i = 0; i < n; i += Lanes.COUNT) {
            FloatVector v = Lanes.load(gate, gateAt + i);
            Lanes.store(timesSigmoid(v, v).mul(Lanes.load(up, upAt + i)), out, at + i);
        }
    }

    /** {@code dgate = silu′(gate)·up·dy} and {@code dup = silu(gate)·dy}, with one sigmoid for both. */
    static void swigluBackward(
            MemorySegment gate,
            MemorySegment up,
            MemorySegment dy,
            long from,
            MemorySegment dgate,
            long gateAt,
            MemorySegment dup,
            long upAt,
            int n) {
        for (int i = 0; i < n; i += Lanes.COUNT) {
            FloatVector v = Lanes.load(gate, from + i);
            FloatVector gradient = Lanes.load(dy, from + i);
            FloatVector e = VectorMath.expOfNonPositive(VectorMath.minusAbs(v));
            FloatVector upper = ONE.div(e.add(ONE));
            FloatVector lower = e.mul(upper);
            FloatVector sigmoid = upper.blend(lower, v.compare(VectorOperators.LT, ZERO));
            FloatVector toGate = siluDerivative(v, upper, lower).mul(Lanes.load(up, from + i));
            Lanes.store(toGate.mul(gradient), dgate, gateAt + i);
            Lanes.store(v.mul(sigmoid).mul(gradient), dup, upAt + i);
        }
    }

    /** {@code σ(x)(1 + x·σ(−x))}, where {@code upper} is σ(|x|) and {@code lower} is σ(−|x|). */
    private static FloatVector siluDerivative(FloatVector x, FloatVector upper, FloatVector lower) {
        VectorMask<Float> negative = x.compare(VectorOperators.LT, ZERO);
        FloatVector rest = lower.blend(upper, negative).fma(x, ONE);
        return upper.blend(lower, negative).mul(rest);
    }

    /** {@code x·σ(v)}, where v has the sign of x. */
    private static FloatVector timesSigmoid(FloatVector x, FloatVector v) {
        FloatVector e = VectorMath.expOfNonPositive(VectorMath.minusAbs(v));
        return x.blend(x.mul(e), x.compare(VectorOperators.LT, ZERO)).div(e.add(ONE));
    }

    /** max(x, 0); NaN stays NaN. */
    private static FloatVector positive(FloatVector x) {
        return x.blend(ZERO, x.compare(VectorOperators.LT, ZERO));
    }
}
