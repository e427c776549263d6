package io.gradus.autograd.op;

import io.gradus.autograd.Gradients;
import io.gradus.autograd.Operation;
import io.gradus.core.Shape;
import io.gradus.core.Tensor;
import io.gradus.core.kernel.ElementwiseKernels.Binary;
import io.gradus.core.kernel.ElementwiseKernels.Comparison;

/**
 * {@code y = max(a, b)}, element by element, broadcasting; NaN if one of them is.
 *
 * <p>y equals the larger operand, which gets the gradient; the other gets 0. If both are equal there is no derivative;
 * each gets half, as in PyTorch.
 */
public final class Maximum extends Operation {
    private Tensor a; // broadcasts to the shape of y
    private Tensor b; // broadcasts to the shape of y

    @Override
    protected Tensor forward(Tensor... inputs) {
        a = inputs[0];
        b = inputs[1];
        Tensor y = Results.of(Shape.broadcast(label(), a, b), a, b);
        a.kernels().elementwise().binary(Binary.MAXIMUM, a, b, y, false);
        return y;
    }

    @Override
    protected void backward(Tensor dy, Gradients gradients) {
        gradients.write(0, dy.shape(), (da, add) -> Selection.backward(dy, a, b, Comparison.LT, da, add));
        gradients.write(1, dy.shape(), (db, add) -> Selection.backward(dy, b, a, Comparison.LT, db, add));
    }
}
