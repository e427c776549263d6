package io.gradus.core.reference;

import io.gradus.core.kernel.ElementwiseKernels.Unary;

/** The functions of one number and their derivatives, in double precision. */
public final class Functions {
    private static final double ROOT_2_OVER_PI = Math.sqrt(2 / Math.PI);
    private static final double CUBIC = 0.044715;

    private Functions() {}

    /** {@code f(x)}. */
    public static double value(Unary op, double x) {
        return switch (op) {
            case EXP -> Math.exp(x);
            case LOG -> Math.log(x);
            case SQRT -> Math.sqrt(x);
            case ABS -> Math.abs(x);
            case SIGN -> sign(x);
            case SIN -> Math.sin(x);
            case COS -> Math.cos(x);
            case TANH -> Math.tanh(x);
            case SIGMOID -> sigmoid(x);
            case RELU -> Math.max(x, 0);
            case GELU -> x * NormalDistribution.cumulative(x);
            case GELU_TANH -> 0.5 * x * (1 + Math.tanh(ROOT_2_OVER_PI * (x + CUBIC * x * x * x)));
            case SILU -> x * sigmoid(x);
        };
    }

    /** {@code f'(x)}, where {@code y = f(x)}. */
    public static double derivative(Unary op, double x, double y) {
        return switch (op) {
            case EXP -> y;
            case LOG -> 1 / x;
            case SQRT -> 1 / (2 * y);
            case ABS -> sign(x);
            case SIGN -> 0;
            case SIN -> Math.cos(x);
            case COS -> -Math.sin(x);
            case TANH -> 1 - y * y;
            case SIGMOID -> y * (1 - y);
            case RELU -> x > 0 ? 1 : 0;
            case GELU -> NormalDistribution.cumulative(x) + x * NormalDistribution.density(x);
            case GELU_TANH -> geluTanhDerivative(x);
            case SILU -> sigmoid(x) * (1 + x * (1 - sigmoid(x)));
        };
    }

    /** With u = √(2/π)(x + cx³) and t = tanh u: ½(1 + t) + ½x(1 − t²)·u′, where u′ = √(2/π)(1 + 3cx²). */
    private static double geluTanhDerivative(double x) {
        double t = Math.tanh(ROOT_2_OVER_PI * (x + CUBIC * x * x * x));
        double du = ROOT_2_OVER_PI * (1 + 3 * CUBIC * x * x);
        return 0.5 * (1 + t) + 0.5 * x * (1 - t * t) * du;
    }

    private static double sign(double x) {
        return x > 0 ? 1 : x < 0 ? -1 : 0;
    }

    private static double sigmoid(double x) {
        return 1 / (1 + Math.exp(-x));
    }
}
