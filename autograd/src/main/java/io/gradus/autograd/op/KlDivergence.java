package io.gradus.autograd.op;

import io.gradus.autograd.Gradients;
import io.gradus.autograd.Operation;
import io.gradus.core.Tensor;
import io.gradus.core.kernel.ElementwiseKernels.Binary;

/**
 * The contribution of each element to the Kullback-Leibler divergence of a distribution t from one whose
 * log-probabilities are x, {@code y = t·(ln t − x)}, with {@code 0·ln 0 = 0}; PyTorch's {@code kl_div} without
 * reduction.
 *
 * <p>y is linear in x. By the product rule, the derivative with respect to t is {@code (ln t − x) + t/t}:
 *
 * <pre>
 *   dx = −dy ⊙ t        dt = dy ⊙ (ln t + 1 − x)
 * </pre>
 */
public final class KlDivergence extends Operation {
    private Tensor x; // of the shape of y
    private Tensor target; // t, of the shape of y

    /** Takes x and t, of one shape. */
    @Override
    protected Tensor forward(Tensor... inputs) {
        x = inputs[0];
        target = inputs[1];
        ElementLoss.requireSameShape(label(), x, target);
        var kernels = x.kernels().elementwise();
        Tensor y = x.emptyLike(x.shape());
        Tensor negative = Workspace.like(x, x.shape());
        kernels.binary(Binary.XLOGY, target, target, y, false);
        kernels.affine(x, -1, 0, negative, false);
        kernels.binary(Binary.MULTIPLY, target, negative, y, true);
        negative.release();
        return y;
    }

    @Override
    protected boolean computesInHalf() {
        return false;
    }

    @Override
    protected void backward(Tensor dy, Gradients gradients) {
        var kernels = dy.kernels().elementwise();
        gradients.write(0, (dx, add) -> {
            Tensor negative = Workspace.like(dy, dy.shape());
            kernels.affine(dy, -1, 0, negative, false);
            kernels.binary(Binary.MULTIPLY, negative, target, dx, add);
            negative.release();
        });
        gradients.write(1, (dt, add) -> {
            Tensor oneMinusX = Workspace.like(x, x.shape());
            kernels.affine(x, -1, 1, oneMinusX, false);
            kernels.binary(Binary.XLOGY, dy, target, dt, add);
            kernels.binary(Binary.MULTIPLY, dy, oneMinusX, dt, true);
            oneMinusX.release();
        });
    }
}
