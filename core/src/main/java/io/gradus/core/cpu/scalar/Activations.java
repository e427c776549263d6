package io.gradus.core.cpu.scalar;

import io.gradus.core.cpu.common.Scratch;
import io.gradus.core.kernel.ElementwiseKernels.Unary;
import java.util.Arrays;

/**
 * Functions of one argument and their derivatives, each a loop over distinct arrays. Measured maximum relative errors: SILU
 * 2e−7, GELU 4.3e−7 (−6 to 6), GELU_TANH 1.1e−6 (−3 to 6).
 */
final class Activations {
    // The tanh form of GELU: 2u = x(A + Bx²) with A = 2√(2/π) and B = 0.044715·A.
    private static final float A = 1.5957691f;
    private static final float B = 0.071354814f;
    /** Beyond this, the sigmoid of 2u rounds to 0 or 1. */
    private static final float FLAT = 10;

    private static final float BELL_HEIGHT = 0.3989423f; // 1/√(2π)

    private Activations() {}

    /** {@code y = f(x)} for the first n elements. */
    @FunctionalInterface
    interface Forward {
        void run(float[] x, float[] y, int n);
    }

    /** {@code dx = f′·dy}, with f′ from {@code s}: the input or the result, as {@link #needsResult} says. */
    @FunctionalInterface
    interface Backward {
        void run(float[] s, float[] dy, float[] dx, int n);
    }

    static Forward forward(Unary op) {
        return switch (op) {
            case EXP -> (x, y, n) -> FloatMath.exp(x, 1, 0, y, n);
            case LOG -> Activations::log;
            case SQRT -> Activations::sqrt;
            case ABS -> Activations::abs;
            case SIGN -> Activations::sign;
            case SIN -> Activations::sin;
            case COS -> Activations::cos;
            case TANH -> FloatMath::tanh;
            case SIGMOID -> FloatMath::sigmoid;
            case RELU -> Activations::relu;
            case GELU -> Activations::gelu;
            case GELU_TANH -> Activations::geluTanh;
            case SILU -> Activations::silu;
        };
    }

    static Backward backward(Unary op) {
        return switch (op) {
            case EXP -> Activations::expBackward;
            case LOG -> Activations::logBackward;
            case SQRT -> Activations::sqrtBackward;
            case ABS -> Activations::absBackward;
            case SIGN -> Activations::signBackward;
            case SIN -> Activations::sinBackward;
            case COS -> Activations::cosBackward;
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
            case EXP, SQRT, TANH, SIGMOID -> true;
            case LOG, ABS, SIGN, SIN, COS, RELU, GELU, GELU_TANH, SILU -> false;
        };
    }

    private static void expBackward(float[] y, float[] dy, float[] dx, int n) {
        for (int i = 0; i < n; i++) {
            dx[i] = dy[i] * y[i];
        }
    }

    private static void log(float[] x, float[] y, int n) {
        for (int i = 0; i < n; i++) {
            y[i] = (float) Math.log(x[i]);
        }
    }

    private static void logBackward(float[] x, float[] dy, float[] dx, int n) {
        for (int i = 0; i < n; i++) {
            dx[i] = dy[i] / x[i];
        }
    }

    private static void sqrt(float[] x, float[] y, int n) {
        for (int i = 0; i < n; i++) {
            y[i] = (float) Math.sqrt(x[i]);
        }
    }

    private static void sqrtBackward(float[] y, float[] dy, float[] dx, int n) {
        for (int i = 0; i < n; i++) {
            dx[i] = 0.5f * dy[i] / y[i];
        }
    }

    private static void abs(float[] x, float[] y, int n) {
        for (int i = 0; i < n; i++) {
            y[i] = Math.abs(x[i]);
        }
    }

    private static void absBackward(float[] x, float[] dy, float[] dx, int n) {
        for (int i = 0; i < n; i++) {
            dx[i] = dy[i] * sign(x[i]);
        }
    }

    private static void sign(float[] x, float[] y, int n) {
        for (int i = 0; i < n; i++) {
            y[i] = sign(x[i]);
        }
    }

    private static float sign(float x) {
        return x > 0 ? 1 : x < 0 ? -1 : 0;
    }

    private static void signBackward(float[] x, float[] dy, float[] dx, int n) {
        Arrays.fill(dx, 0, n, 0);
    }

    private static void sin(float[] x, float[] y, int n) {
        for (int i = 0; i < n; i++) {
            y[i] = (float) Math.sin(x[i]);
        }
    }

    private static void sinBackward(float[] x, float[] dy, float[] dx, int n) {
        for (int i = 0; i < n; i++) {
            dx[i] = (float) (dy[i] * Math.cos(x[i]));
        }
    }

    private static void cos(float[] x, float[] y, int n) {
        for (int i = 0; i < n; i++) {
            y[i] = (float) Math.cos(x[i]);
        }
    }

    private static void cosBackward(float[] x, float[] dy, float[] dx, int n) {
        for (int i = 0; i < n; i++) {
            dx[i] = (float) (dy[i] * -Math.sin(x[i]));
        }
    }

    private static void tanhBackward(float[] y, float[] dy, float[] dx, int n) {
        for (int i = 0; i < n; i++) {
            dx[i] = dy[i] * (1 - y[i] * y[i]);
        }
    }

    private static void sigmoidBackward(float[] y, float[] dy, float[] dx, int n) {
        for (int i = 0; i < n; i++) {
            dx[i] = dy[i] * y[i] * (1 - y[i]);
        }
    }

    private static void relu(float[] x, float[] y, int n) {
        for (int i = 0; i < n; i++) {
            y[i] = Math.max(x[i], 0);
        }
    }

    // A mask, because a conditional would become a branch, mispredicted for every second element.
    private static void reluBackward(float[] x, float[] dy, float[] dx, int n) {
        for (int i = 0; i < n; i++) {
            int mask = x[i] > 0 ? -1 : 0;
            dx[i] = Float.intBitsToFloat(Float.floatToRawIntBits(dy[i]) & mask);
        }
    }

    // x·Φ(x), where Φ(x) is the tail if x < 0, else 1 − tail: max(x, 0) − |x|·tail on both sides.
    private static void gelu(float[] x, float[] y, int n) {
        float[] tail = Scratch.ofThread().floats(6, n);
        FloatMath.normalTail(x, tail, n);
        for (int i = 0; i < n; i++) {
            y[i] = Math.max(x[i], 0) - Math.min(Math.abs(x[i]), FloatMath.FARTHEST) * tail[i];
        }
    }

    // Φ(x) + x·φ(x).
    private static void geluBackward(float[] x, float[] dy, float[] dx, int n) {
        float[] tail = Scratch.ofThread().floats(6, n);
        FloatMath.normalTail(x, tail, n);
        FloatMath.bell(x, dx, n);
        for (int i = 0; i < n; i++) {
            float distribution = Math.fma(Math.signum(x[i]), 0.5f - tail[i], 0.5f);
            dx[i] = dy[i] * Math.fma(x[i] * BELL_HEIGHT, dx[i], distribution);
        }
    }

    // ½(1 + tanh u) is σ(2u), so y = x·σ(2u) with u = √(2/π)(x + 0.044715x³).
    private static void geluTanh(float[] x, float[] y, int n) {
        for (int i = 0; i < n; i++) {
            y[i] = x[i] * Math.fma(B, x[i] * x[i], A);
        }
        FloatMath.exp(y, -1, 0, y, n);
        for (int i = 0; i < n; i++) {
            y[i] = x[i] / (1 + y[i]);
        }
    }

    // σ(2u) + x·σ(2u)(1 − σ(2u))·2u′ with 2u′ = A + 3Bx².
    // With e = exp(−2u), 1 − σ(2u) is e·σ(2u), without cancellation.
    private static void geluTanhBackward(float[] x, float[] dy, float[] dx, int n) {
        for (int i = 0; i < n; i++) {
            float z = Math.min(Math.max(x[i], -FLAT), FLAT);
            dx[i] = z * Math.fma(B, z * z, A);
        }
        FloatMath.exp(dx, -1, 0, dx, n);
        for (int i = 0; i < n; i++) {
            float z = Math.min(Math.max(x[i], -FLAT), FLAT);
            float s = 1 / (1 + dx[i]);
            dx[i] = dy[i] * Math.fma(z * s * (dx[i] * s), Math.fma(3 * B, z * z, A), s);
        }
    }

    static void silu(float[] x, float[] y, int n) {
        FloatMath.exp(x, -1, 0, y, n);
        for (int i = 0; i < n; i++) {
            y[i] = x[i] / (1 + y[i]);
        }
    }

    static void siluBackward(float[] x, float[] dy, float[] dx, int n) {
        FloatMath.exp(x, -1, 0, dx, n);
        for (int i = 0; i < n; i++) {
            float s = 1 / (1 + dx[i]);
            dx[i] = dy[i] * s * Math.fma(x[i], 1 - s, 1);
        }
    }
}
