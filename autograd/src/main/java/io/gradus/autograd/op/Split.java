package io.gradus.autograd.op;

import io.gradus.autograd.Gradients;
import io.gradus.autograd.Operation;
import io.gradus.core.Shape;
import io.gradus.core.Tensor;
import java.util.Arrays;
import java.util.stream.IntStream;

/**
 * Splits an axis into parts that cover it: {@code x = concat(y₁, y₂, …)}. Each part is an operation of its own, applied
 * to the result of this one, which is x itself.
 *
 * <p>Every element of x belongs to one part and gets its gradient: {@code dx = concat(dy₁, dy₂, …)}. So the parts write
 * into one buffer side by side, whereas {@link Slice} must fill the buffer with zeros and add. Only a part that does
 * not lead to the loss leaves a gap, where the gradient is 0.
 */
public final class Split extends Operation {
    private final int axis;
    private final long[] starts;
    /** Which parts of the buffer hold a gradient in the current pass. */
    private final boolean[] written;

    /**
     * Creates the operation.
     *
     * @param axis from 0
     * @param lengths of the parts, whose sum is the length of the axis
     */
    public Split(int axis, long... lengths) {
        this.axis = axis;
        this.starts = new long[lengths.length + 1];
        this.written = new boolean[lengths.length];
        System.arraycopy(lengths, 0, starts, 1, lengths.length);
        Arrays.parallelPrefix(starts, Long::sum);
    }

    @Override
    protected Tensor forward(Tensor... inputs) {
        return inputs[0];
    }

    @Override
    protected void backward(Tensor dy, Gradients gradients) {
        if (IntStream.range(0, written.length).allMatch(i -> written[i])) {
            gradients.pass(0, dy);
        } else {
            gradients.write(0, (dx, add) -> copyWritten(dy, dx, add));
        }
    }

    private void copyWritten(Tensor dy, Tensor dx, boolean add) {
        if (!add) {
            dx.kernels().elementwise().fill(dx, 0);
        }
        for (int i = 0; i < written.length; i++) {
            if (written[i]) {
                Tensor part = Workspace.like(dy, partOf(dy, i));
                dy.kernels().movement().slice(dy, axis, starts[i], part, false);
                dx.kernels().movement().place(part, axis, starts[i], dx, add);
                part.release();
            }
        }
    }

    /** Writes the gradient of a part into the buffer of the whole, which only the parts write to. */
    private void write(int index, Tensor dy, Tensor whole, boolean later) {
        if (!later) {
            Arrays.fill(written, false);
        }
        written[index] = true;
        dy.kernels().movement().place(dy, axis, starts[index], whole, false);
    }

    private Shape partOf(Tensor whole, int index) {
        return whole.shape().with(axis, starts[index + 1] - starts[index]);
    }

    /** The operation that returns a part, to be applied to the result of this one. */
    public Operation part(int index) {
        return new Part(index);
    }

    /** One part; along axis 0, a view without a copy. */
    private final class Part extends Operation {
        private final int index;

        Part(int index) {
            this.index = index;
        }

        @Override
        protected Tensor forward(Tensor... inputs) {
            Tensor x = inputs[0];
            if (axis == 0) {
                return x.slice(starts[index], starts[index + 1]);
            }
            Tensor y = x.emptyLike(partOf(x, index));
            x.kernels().movement().slice(x, axis, starts[index], y, false);
            return y;
        }

        @Override
        protected void backward(Tensor dy, Gradients gradients) {
            gradients.write(0, (whole, later) -> write(index, dy, whole, later));
        }
    }
}
