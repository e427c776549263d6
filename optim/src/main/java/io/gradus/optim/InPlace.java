package io.gradus.optim;

import io.gradus.core.MemoryCategory;
import io.gradus.core.Tensor;
import io.gradus.core.kernel.ElementwiseKernels;
import io.gradus.core.kernel.ElementwiseKernels.Binary;
import io.gradus.core.kernel.ElementwiseKernels.Unary;

/**
 * Tensor operations that overwrite their first argument, to write an {@link Optimizer#update} with; no gradients are
 * recorded. PyTorch marks them with an underscore:
 *
 * <table>
 * <caption>Names in PyTorch</caption>
 * <tr><td>{@code scale(x, 0.9)}</td><td>{@code x.mul_(0.9)}</td></tr>
 * <tr><td>{@code add(x, y, -0.1)}</td><td>{@code x.add_(y, alpha=-0.1)}</td></tr>
 * <tr><td>{@code lerp(x, y, 0.1)}</td><td>{@code x.lerp_(y, 0.1)}</td></tr>
 * <tr><td>{@code addProduct(x, a, b, 0.1)}</td><td>{@code x.addcmul_(a, b, value=0.1)}</td></tr>
 * <tr><td>{@code addQuotient(x, a, b, 0.1)}</td><td>{@code x.addcdiv_(a, b, value=0.1)}</td></tr>
 * </table>
 *
 * The other tensors are broadcast to the shape of the first. All must be on one device, in the dtype that it computes in;
 * otherwise, or if shapes do not fit, the operation throws what the device's kernel throws.
 */
public final class InPlace {
    private InPlace() {}

    /** A copy that counts as {@link MemoryCategory#WORKSPACE}, to compute on. */
    public static Tensor copy(Tensor x) {
        return x.to(x.device(), x.dtype(), MemoryCategory.WORKSPACE);
    }

    /** {@code x = factor·x}. */
    public static void scale(Tensor x, double factor) {
        elementwise(x).affine(x, factor, 0, x, false);
    }

    /** {@code x = x + y}. */
    public static void add(Tensor x, Tensor y) {
        add(x, y, 1);
    }

    /** {@code x = x + factor·y}. */
    public static void add(Tensor x, Tensor y, double factor) {
        elementwise(x).affine(y, factor, 0, x, true);
    }

    /** {@code x = x + number}. */
    public static void add(Tensor x, double number) {
        elementwise(x).affine(x, 1, number, x, false);
    }

    /** {@code x = x − y}. */
    public static void subtract(Tensor x, Tensor y) {
        elementwise(x).binary(Binary.SUBTRACT, x, y, x, false);
    }

    /** {@code x = x·y}. */
    public static void multiply(Tensor x, Tensor y) {
        elementwise(x).binary(Binary.MULTIPLY, x, y, x, false);
    }

    /** {@code x = x/y}. */
    public static void divide(Tensor x, Tensor y) {
        elementwise(x).binary(Binary.DIVIDE, x, y, x, false);
    }

    /** {@code x = (1 − t)·x + t·y}: an exponential moving average of y with decay 1 − t. */
    public static void lerp(Tensor x, Tensor y, double t) {
        scale(x, 1 - t);
        add(x, y, t);
    }

    /** {@code x = x + factor·a·b}. */
    public static void addProduct(Tensor x, Tensor a, Tensor b, double factor) {
        addResult(Binary.MULTIPLY, x, a, b, factor);
    }

    /** {@code x = x + factor·a/b}. */
    public static void addQuotient(Tensor x, Tensor a, Tensor b, double factor) {
        addResult(Binary.DIVIDE, x, a, b, factor);
    }

    private static void addResult(Binary op, Tensor x, Tensor a, Tensor b, double factor) {
        Tensor result = Tensor.empty(x.device(), x.dtype(), x.shape(), MemoryCategory.WORKSPACE);
        elementwise(x).binary(op, a, b, result, false);
        add(x, result, factor);
        result.release();
    }

    /** {@code x = max(x, y)}; NaN if one of them is. */
    public static void maximum(Tensor x, Tensor y) {
        elementwise(x).binary(Binary.MAXIMUM, x, y, x, false);
    }

    /** {@code x = √x}. */
    public static void sqrt(Tensor x) {
        elementwise(x).unary(Unary.SQRT, x, x);
    }

    /** {@code x = |x|}. */
    public static void abs(Tensor x) {
        elementwise(x).unary(Unary.ABS, x, x);
    }

    /** {@code x =} −1, 0 or 1, the sign of x; 0 for NaN. */
    public static void sign(Tensor x) {
        elementwise(x).unary(Unary.SIGN, x, x);
    }

    private static ElementwiseKernels elementwise(Tensor x) {
        return x.kernels().elementwise();
    }
}
