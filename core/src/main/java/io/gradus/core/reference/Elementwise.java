package io.gradus.core.reference;

import io.gradus.core.Shape;
import io.gradus.core.Tensor;
import io.gradus.core.kernel.ElementwiseKernels;

/** Functions applied to each element. */
final class Elementwise implements ElementwiseKernels {
    private static final double ROOT_2_OVER_PI = Math.sqrt(2 / Math.PI);
    private static final double CUBIC = 0.044715;

    @Override
    public void unary(Unary op, Tensor x, Tensor out) {
        Elements from = Elements.of(x);
        Elements to = Elements.of(out);
        for (long i = 0; i < out.size(); i++) {
            to.set(i, value(op, from.get(i)));
        }
    }

    @Override
    public void unaryBackward(Unary op, Tensor x, Tensor y, Tensor dy, Tensor dx, boolean accumulate) {
        Elements input = Elements.of(x);
        Elements output = Elements.of(y);
        Elements from = Elements.of(dy);
        Elements to = Elements.of(dx);
        for (long i = 0; i < dx.size(); i++) {
            to.put(i, derivative(op, input.get(i), output.get(i)) * from.get(i), accumulate);
        }
    }

    private static double value(Unary op, double x) {
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

    private static double derivative(Unary op, double x, double y) {
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

    @Override
    public void binary(Binary op, Tensor a, Tensor b, Tensor out, boolean accumulate) {
        Shape shape = out.shape();
        long[] stridesA = a.shape().broadcastStrides(shape);
        long[] stridesB = b.shape().broadcastStrides(shape);
        Elements left = Elements.of(a);
        Elements right = Elements.of(b);
        Elements to = Elements.of(out);
        for (long i = 0; i < out.size(); i++) {
            double x = left.get(Elements.position(i, shape, stridesA));
            double y = right.get(Elements.position(i, shape, stridesB));
            to.put(i, value(op, x, y), accumulate);
        }
    }

    private static double value(Binary op, double a, double b) {
        return switch (op) {
            case ADD -> a + b;
            case SUBTRACT -> a - b;
            case MULTIPLY -> a * b;
            case DIVIDE -> a / b;
            case POW -> Math.pow(a, b);
            case MINIMUM -> Math.min(a, b);
            case MAXIMUM -> Math.max(a, b);
            case XLOGY -> a == 0 && !Double.isNaN(b) ? 0 : a * Math.log(b);
        };
    }

    @Override
    public void compare(Comparison op, Tensor a, Tensor b, Tensor out) {
        Shape shape = out.shape();
        long[] stridesA = a.shape().broadcastStrides(shape);
        long[] stridesB = b.shape().broadcastStrides(shape);
        Elements left = Elements.of(a);
        Elements right = Elements.of(b);
        Elements to = Elements.of(out);
        for (long i = 0; i < out.size(); i++) {
            double x = left.get(Elements.position(i, shape, stridesA));
            double y = right.get(Elements.position(i, shape, stridesB));
            to.setInt(i, holds(op, x, y) ? 1 : 0);
        }
    }

    private static boolean holds(Comparison op, double a, double b) {
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
        long[] strides = x.shape().broadcastStrides(out.shape());
        Elements from = Elements.of(x);
        Elements to = Elements.of(out);
        for (long i = 0; i < out.size(); i++) {
            to.put(i, scale * from.get(Elements.position(i, out.shape(), strides)) + shift, accumulate);
        }
    }

    @Override
    public void where(Tensor condition, Tensor a, Tensor b, Tensor out, boolean accumulate) {
        Shape shape = out.shape();
        long[] stridesC = condition.shape().broadcastStrides(shape);
        long[] stridesA = a.shape().broadcastStrides(shape);
        long[] stridesB = b.shape().broadcastStrides(shape);
        Elements test = Elements.of(condition);
        Elements yes = Elements.of(a);
        Elements no = Elements.of(b);
        Elements to = Elements.of(out);
        for (long i = 0; i < out.size(); i++) {
            double value = test.getInt(Elements.position(i, shape, stridesC)) != 0
                    ? yes.get(Elements.position(i, shape, stridesA))
                    : no.get(Elements.position(i, shape, stridesB));
            to.put(i, value, accumulate);
        }
    }

    @Override
    public void swiglu(Tensor gate, Tensor up, Tensor out) {
        Elements gates = Elements.of(gate);
        Elements ups = Elements.of(up);
        Elements to = Elements.of(out);
        for (long i = 0; i < out.size(); i++) {
            to.set(i, value(Unary.SILU, gates.get(i)) * ups.get(i));
        }
    }

    @Override
    public void swigluBackward(
            Tensor gate, Tensor up, Tensor dy, Tensor dgate, boolean accumulateGate, Tensor dup, boolean accumulateUp) {
        Elements gates = Elements.of(gate);
        Elements ups = Elements.of(up);
        Elements from = Elements.of(dy);
        Elements toGate = Elements.of(dgate);
        Elements toUp = Elements.of(dup);
        for (long i = 0; i < dy.size(); i++) {
            double x = gates.get(i);
            double y = value(Unary.SILU, x);
            double gradient = from.get(i);
            toGate.put(i, derivative(Unary.SILU, x, y) * ups.get(i) * gradient, accumulateGate);
            toUp.put(i, y * gradient, accumulateUp);
        }
    }

    @Override
    public void fill(Tensor out, double value) {
        Cast.requireSupported("fill", out);
        Elements to = Elements.of(out);
        for (long i = 0; i < out.size(); i++) {
            Cast.write(to, out.dtype(), i, value);
        }
    }
}
