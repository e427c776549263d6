package io.gradus.gpu.math;

import io.gradus.core.kernel.ElementwiseKernels.Unary;
import uk.ac.manchester.tornado.api.math.TornadoMath;

/**
 * Elementwise functions of one number and their derivatives, for kernels. A function is identified by its ordinal in
 * {@link Unary}.
 */
public final class Activations {
    private static final int EXP = 0;
    private static final int LOG = 1;
    private static final int SQRT = 2;
    private static final int TANH = 3;
    private static final int SIGMOID = 4;
    private static final int RELU = 5;
    private static final int GELU = 6;
    private static final int GELU_TANH = 7;
    private static final int SILU = 8;
    private static final int ABS = 9;
    private static final int SIGN = 10;
    private static final int SIN = 11;

    // The tanh form of GELU: 2u = x(A + Bx²) with A = 2√(2/π) and B = 0.044715·A.
    private static final float A = 1.5957691f;
    private static final float B = 0.071354814f;
    /** Beyond this |x| the sigmoid of 2u rounds to 0 or 1. */
    private static final float FLAT = 10;

    private static final float BELL_HEIGHT = 0.3989423f; // 1/√(2π)

    private Activations() {}

    /** Whether the derivative is computed from the result instead of the input. */
    public static boolean needsResult(Unary op) {
        return switch (op) {
            case EXP, SQRT, TANH, SIGMOID, RELU -> true;
            case LOG, GELU, GELU_TANH, SILU, ABS, SIGN, SIN, COS -> false;
        };
    }

    /** {@code op(x)}. */
    public static float forward(int op, float x) {
        return switch (op) {
            case EXP -> FloatMath.exp(x);
            case LOG -> TornadoMath.log(x);
            case SQRT -> TornadoMath.sqrt(x);
            case TANH -> FloatMath.tanh(x);
            case SIGMOID -> FloatMath.sigmoid(x);
            case RELU -> x < 0 ? 0 : x;
            case GELU -> gelu(x);
            case GELU_TANH -> geluTanh(x);
            case SILU -> silu(x);
            case ABS -> TornadoMath.abs(x);
            case SIGN -> sign(x);
            case SIN -> FloatMath.sin(x);
            default -> FloatMath.cos(x);
        };
    }

    /**
     * {@code op′(x)·dy}.
     *
     * @param s the result or the input, as {@link #needsResult} says
     */
    public static float backward(int op, float s, float dy) {
        return switch (op) {
            case EXP -> dy * s;
            case LOG -> dy / s;
            case SQRT -> 0.5f * dy / s;
            case TANH -> dy * (1 - s * s);
            case SIGMOID -> dy * s * (1 - s);
            case RELU -> s > 0 ? dy : 0;
            case GELU -> geluBackward(s, dy);
            case GELU_TANH -> geluTanhBackward(s, dy);
            case SILU -> siluBackward(s, dy);
            case ABS -> sign(s) * dy;
            case SIGN -> 0;
            case SIN -> FloatMath.cos(s) * dy;
            default -> -FloatMath.sin(s) * dy;
        };
    }

    private static float sign(float x) {
        return x > 0 ? 1 : x < 0 ? -1 : 0;
    }

    // x·Φ(x), where Φ(x) is the tail for x < 0 and 1 − tail otherwise, which loses precision on neither side.
    public static float gelu(float x) {
        float tail = FloatMath.normalTail(x, FloatMath.bell(x));
        return x * (x < 0 ? tail : 1 - tail);
    }

    // Φ(x) + x·φ(x).
    private static float geluBackward(float x, float dy) {
        float bell = FloatMath.bell(x);
        float tail = FloatMath.normalTail(x, bell);
        return dy * ((x < 0 ? tail : 1 - tail) + x * BELL_HEIGHT * bell);
    }

    // ½(1 + tanh u) is σ(2u), so y = x·σ(2u) with u = √(2/π)(x + 0.044715x³).
    public static float geluTanh(float x) {
        return x / (1 + FloatMath.exp(-x * (A + B * x * x)));
    }

    // σ(2u) + x·σ(2u)(1 − σ(2u))·2u′ with 2u′ = A + 3Bx².
    // With e = exp(−2u), 1 − σ(2u) is e·σ(2u), which avoids cancellation.
    private static float geluTanhBackward(float x, float dy) {
        float z = x > FLAT ? FLAT : x < -FLAT ? -FLAT : x;
        float e = FloatMath.exp(-z * (A + B * z * z));
        float s = 1 / (1 + e);
        return dy * (s + z * s * (e * s) * (A + 3 * B * z * z));
    }

    public static float silu(float x) {
        return x / (1 + FloatMath.exp(-x));
    }

    public static float siluBackward(float x, float dy) {
        float s = FloatMath.sigmoid(x);
        return dy * s * (1 + x * (1 - s));
    }
}
