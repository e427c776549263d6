package io.gradus.autograd.op;

import io.gradus.autograd.Gradients;
import io.gradus.autograd.Operation;
import io.gradus.core.Shape;
import io.gradus.core.Tensor;
import io.gradus.core.kernel.ElementwiseKernels.Binary;

/**
 * {@code y = aᵇ}, element by element, broadcasting.
 *
 * <p>For fixed b this is the power rule; for fixed a, {@code aᵇ = e^{b·ln a}}, whose derivative in b is
 * {@code ln a·aᵇ}:
 *
 * <pre>
 *   da = dy ⊙ b·aᵇ⁻¹        db = dy ⊙ y·ln a
 * </pre>
 *
 * db is 0 where y is 0, although ln 0 is not finite: {@code 0ᵇ} is 0 for every positive b. db is NaN for negative a,
 * where the power is defined only for integer b. da is NaN at 0⁰.
 */
public final class Power extends Operation {
    private Tensor a; // broadcasts to the shape of y
    private Tensor b; // broadcasts to the shape of y
    private Tensor y;

    @Override
    protected Tensor forward(Tensor... inputs) {
        a = inputs[0];
        b = inputs[1];
        y = Results.of(Shape.broadcast("pow", a, b), a, b);
        a.kernels().elementwise().binary(Binary.POW, a, b, y, false);
        return y;
    }

    @Override
    protected void backward(Tensor dy, Gradients gradients) {
        var kernels = dy.kernels().elementwise();
        gradients.write(0, dy.shape(), (da, add) -> {
            Tensor lowered = Workspace.like(b, b.shape());
            Tensor power = Workspace.like(y, y.shape());
            Tensor derivative = Workspace.like(y, y.shape());
            kernels.affine(b, 1, -1, lowered, false);
            kernels.binary(Binary.POW, a, lowered, power, false);
            kernels.binary(Binary.MULTIPLY, power, b, derivative, false);
            kernels.binary(Binary.MULTIPLY, dy, derivative, da, add);
            lowered.release();
            power.release();
            derivative.release();
        });
        gradients.write(1, dy.shape(), (db, add) -> {
            Tensor product = Workspace.like(y, y.shape());
            kernels.binary(Binary.MULTIPLY, dy, y, product, false);
            kernels.binary(Binary.XLOGY, product, a, db, add);
            product.release();
        });
    }
}
