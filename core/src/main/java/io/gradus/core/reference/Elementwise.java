package io.gradus.core.reference;

import io.gradus.core.GradientBuffer;
import io.gradus.core.Shape;
import io.gradus.core.Tensor;
import io.gradus.core.kernel.ElementwiseKernels;

/** Functions applied to each element. */
final class Elementwise implements ElementwiseKernels {
    @Override
    public void unary(Unary op, Tensor x, Tensor out) {
        Elements from = Elements.of(x);
        Elements to = Elements.of(out);
        for (long i = 0; i < out.size(); i++) {
            to.set(i, Functions.value(op, from.get(i)));
        }
    }

    @Override
    public void unaryBackward(Unary op, Tensor x, Tensor y, Tensor dy, Tensor dx, boolean accumulate) {
        Elements input = Elements.of(x);
        Elements output = Elements.of(y);
        Elements from = Elements.of(dy);
        Elements to = Elements.of(dx);
        for (long i = 0; i < dx.size(); i++) {
            to.put(i, Functions.derivative(op, input.get(i), output.get(i)) * from.get(i), accumulate);
        }
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
            to.set(i, Functions.value(Unary.SILU, gates.get(i)) * ups.get(i));
        }
    }

    @Override
    public void swigluBackward(Tensor gate, Tensor up, Tensor dy, GradientBuffer dgate, GradientBuffer dup) {
        Elements gates = Elements.of(gate);
        Elements ups = Elements.of(up);
        Elements from = Elements.of(dy);
        Elements toGate = Elements.of(dgate.gradient());
        Elements toUp = Elements.of(dup.gradient());
        for (long i = 0; i < dy.size(); i++) {
            double x = gates.get(i);
            double y = Functions.value(Unary.SILU, x);
            double gradient = from.get(i);
            toGate.put(i, Functions.derivative(Unary.SILU, x, y) * ups.get(i) * gradient, dgate.accumulate());
            toUp.put(i, y * gradient, dup.accumulate());
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
