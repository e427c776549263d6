package io.gradus.core.kernel;

import io.gradus.core.Tensor;
import java.util.List;

/**
 * Sums and maxima along axes. The output's shape determines which axes are reduced: those that have length 1 or are missing in
 * the output. The order of additions depends only on the shapes, so that equal inputs give equal bits.
 */
public interface ReductionKernels {
    /** The elements of a chunk of {@link #squaresByChunk}. */
    long SQUARES_CHUNK = 1 << 15;

    /**
     * {@code out (+)=} the sum of {@code x} over the reduced axes: the inverse of broadcasting.
     *
     * @param out its shape broadcasts to that of {@code x}
     */
    void sumTo(Tensor x, Tensor out, boolean accumulate);

    /** {@code out =} the largest element along the reduced axes; NaN if one is NaN, −∞ if there are none. */
    void maxTo(Tensor x, Tensor out);

    /** {@code dx (+)= dy} where {@code x = y}, divided equally among equal largest elements; 0 elsewhere. */
    void maxBackward(Tensor x, Tensor y, Tensor dy, Tensor dx, boolean accumulate);

    /** The sum of the squares of all elements of all tensors, in double precision. Not finite if an element is not. */
    double sumOfSquares(List<Tensor> tensors);

    /**
     * The terms of {@link #sumOfSquares}: the sum of the squares of each chunk of {@link #SQUARES_CHUNK} elements, of which the last
     * one may have fewer. On the CPU, {@code sumOfSquares} adds these terms in order, so that several processes that each have some
     * of the chunks can compute the same bits.
     */
    default double[] squaresByChunk(Tensor x) {
        Tensor flat = x.reshape(x.size());
        double[] squares = new double[Math.toIntExact(Math.ceilDiv(x.size(), SQUARES_CHUNK))];
        for (int chunk = 0; chunk < squares.length; chunk++) {
            long from = chunk * SQUARES_CHUNK;
            squares[chunk] = sumOfSquares(List.of(flat.slice(from, Math.min(x.size(), from + SQUARES_CHUNK))));
        }
        return squares;
    }
}
