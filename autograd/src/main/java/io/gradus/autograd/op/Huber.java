package io.gradus.autograd.op;

import io.gradus.autograd.Gradients;
import io.gradus.autograd.Operation;
import io.gradus.core.Tensor;
import io.gradus.core.kernel.ElementwiseKernels.Binary;

/**
 * The Huber loss of each element (Huber 1964), quadratic for small differences {@code d = x − t} and linear for large
 * ones:
 *
 * <pre>
 *   y = ½d²            where |d| ≤ δ
 *   y = δ(|d| − ½δ)    elsewhere
 * </pre>
 *
 * <p>With {@code z = min(max(d, −δ), δ)}, both cases are {@code y = z(d − ½z)}. The derivative is d inside the interval
 * and {@code ±δ} outside, which is z in both cases:
 *
 * <pre>
 *   dx = dy ⊙ z        dt = −dy ⊙ z
 * </pre>
 */
public final class Huber extends Operation {
    private final double delta;
    private Tensor z; // of the shape of x

    /**
     * Creates the operation.
     *
     * @param delta δ, the difference from which the loss is linear
     * @throws IllegalArgumentException if δ is not positive
     */
    public Huber(double delta) {
        if (!(delta > 0)) {
            throw new IllegalArgumentException("huber: delta is " + delta + "; it must be positive, usually 1");
        }
        this.delta = delta;
    }

    /** Takes x and t, of one shape. */
    @Override
    protected Tensor forward(Tensor... inputs) {
        Tensor x = inputs[0];
        Tensor target = inputs[1];
        ElementLoss.requireSameShape(label(), x, target);
        var kernels = x.kernels().elementwise();
        Tensor y = x.emptyLike(x.shape());
        Tensor difference = Workspace.like(x, x.shape());
        Tensor minusHalfZ = Workspace.like(x, x.shape());
        z = x.emptyLike(x.shape());
        kernels.binary(Binary.SUBTRACT, x, target, difference, false);
        Clamp.clamp(difference, -delta, delta, z);
        kernels.affine(z, -0.5, 0, minusHalfZ, false);
        kernels.binary(Binary.MULTIPLY, z, difference, y, false);
        kernels.binary(Binary.MULTIPLY, z, minusHalfZ, y, true);
        difference.release();
        minusHalfZ.release();
        return y;
    }

    @Override
    protected boolean computesInHalf() {
        return false;
    }

    @Override
    protected void backward(Tensor dy, Gradients gradients) {
        var kernels = dy.kernels().elementwise();
        gradients.write(0, (dx, add) -> kernels.binary(Binary.MULTIPLY, dy, z, dx, add));
        gradients.write(1, (dt, add) -> {
            Tensor negative = Workspace.like(dy, dy.shape());
            kernels.affine(dy, -1, 0, negative, false);
            kernels.binary(Binary.MULTIPLY, negative, z, dt, add);
            negative.release();
        });
    }

    @Override
    protected void release() {
        z.release();
    }
}
