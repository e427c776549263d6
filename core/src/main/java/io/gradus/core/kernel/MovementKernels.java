package io.gradus.core.kernel;

import io.gradus.core.Shape;
import io.gradus.core.Tensor;
import java.util.Arrays;

/** Moves elements without computing. */
public interface MovementKernels {

    /** {@code out (+)= x} with its axes reordered: axis i of {@code out} is axis {@code order[i]} of {@code x}. */
    void permute(Tensor x, int[] order, Tensor out, boolean accumulate);

    /** {@code out (+)=} the part of {@code x} that begins at {@code start} along an axis and has the length of {@code out}. */
    void slice(Tensor x, int axis, long start, Tensor out, boolean accumulate);

    /** Writes or adds {@code x} to the part of {@code out} that begins at {@code start} along an axis. The rest of {@code out} is
     * unchanged. */
    void place(Tensor x, int axis, long start, Tensor out, boolean accumulate);

    /**
     * {@code out[…, j, …] = x[…, index[…, j, …], …]} along an axis, as {@code torch.gather}.
     *
     * @param index I32, of the shape of {@code out}; no longer than {@code x} along any other axis
     * @throws IllegalArgumentException if an index is outside the axis
     */
    void gather(Tensor x, int axis, Tensor index, Tensor out);

    /** {@code dx[…, index[…, j, …], …] (+)= dy[…, j, …]}, in the order of j. */
    void gatherBackward(Tensor index, int axis, Tensor dy, Tensor dx, boolean accumulate);

    /** The shape after {@link #permute}. */
    static Shape permuted(Tensor x, int[] order) {
        Shape shape = x.shape();
        boolean[] seen = new boolean[shape.rank()];
        long[] lengths = new long[shape.rank()];
        boolean valid = order.length == shape.rank();
        for (int i = 0; valid && i < order.length; i++) {
            valid = order[i] >= 0 && order[i] < seen.length && !seen[order[i]];
            if (valid) {
                seen[order[i]] = true;
                lengths[i] = shape.get(order[i]);
            }
        }
        if (!valid) {
            throw new IllegalArgumentException(
                    "permute: " + Arrays.toString(order) + " does not name each axis of " + x.describe() + " once");
        }
        return Shape.of(lengths);
    }

    /** The error for an index outside the axis. */
    static IllegalArgumentException badIndex(long index, int axis, Shape shape) {
        return new IllegalArgumentException("gather: index " + index + " is outside axis " + axis + " of " + shape);
    }
}
