package io.gradus.autograd.op;

import io.gradus.core.Tensor;
import io.gradus.core.kernel.ElementwiseKernels.Comparison;

/** The gradient that {@link Maximum} and {@link Minimum} share. */
final class Selection {
    private Selection() {}

    /**
     * {@code dx (+)=} 0 where x was not selected, {@code dy/2} where both operands are equal, and dy elsewhere.
     *
     * @param notSelected the comparison of x with the other operand that holds where x was not selected
     * @param dx of the shape of dy
     */
    static void backward(Tensor dy, Tensor x, Tensor other, Comparison notSelected, Tensor dx, boolean add) {
        var kernels = dy.kernels().elementwise();
        Tensor condition = Workspace.condition(dy, dy.shape());
        Tensor half = Workspace.like(dy, dy.shape());
        Tensor shared = Workspace.like(dy, dy.shape());
        Tensor zero = Workspace.scalar(dy, 0);
        kernels.affine(dy, 0.5, 0, half, false);
        kernels.compare(Comparison.EQ, x, other, condition);
        kernels.where(condition, half, dy, shared, false);
        kernels.compare(notSelected, x, other, condition);
        kernels.where(condition, zero, shared, dx, add);
        condition.release();
        half.release();
        shared.release();
        zero.release();
    }
}
