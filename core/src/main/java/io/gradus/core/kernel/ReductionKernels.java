package io.gradus.core.kernel;

import io.gradus.core.Tensor;
import java.util.List;

/**
 * Many elements to one. The shape of the output says which axes go: those where it is 1 or absent and the input is not.
 * Sums follow a tree that depends on the shapes only, so that the same input gives the same bits.
 */
public interface ReductionKernels {

    /**
     * {@code out (+)=} the sum of {@code x} over the axes that {@code out} lacks: the reverse of broadcasting.
     *
     * @param out of a shape that broadcasts to that of {@code x}
     */
    void sumTo(Tensor x, Tensor out, boolean accumulate);

    /** {@code out =} the largest element along the axes that {@code out} lacks; NaN if one is, −∞ if there are none. */
    void maxTo(Tensor x, Tensor out);

    /** {@code dx (+)= dy} where {@code x = y}, shared equally among equal largest elements, 0 elsewhere. */
    void maxBackward(Tensor x, Tensor y, Tensor dy, Tensor dx, boolean accumulate);

    /** The sum of the squares of all elements of all tensors, in double precision; not finite if an element is not. */
    double sumOfSquares(List<Tensor> tensors);
}
