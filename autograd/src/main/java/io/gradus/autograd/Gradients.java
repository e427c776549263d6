package io.gradus.autograd;

import io.gradus.core.GradientBuffer;
import io.gradus.core.Shape;
import io.gradus.core.Tensor;

/**
 * Receives the gradients of an operation's inputs. The engine owns the buffers: the first gradient of a variable
 * overwrites, each further one is added, and the gradient of a broadcast input is summed back to the input's shape. An
 * operation only computes its gradients.
 */
public interface Gradients {

    /** Computes a gradient into a buffer. */
    @FunctionalInterface
    interface Writer {
        /**
         * Computes the gradient.
         *
         * @param gradient the buffer to write to
         * @param accumulate true to add to it, false to overwrite it without reading it
         */
        void write(Tensor gradient, boolean accumulate);
    }

    /** Whether an input requires a gradient. If not, there is no need to compute it, and writing it has no effect. */
    boolean wanted(int input);

    /** Lets {@code writer} fill a buffer of the input's shape, unless the gradient is not wanted. */
    void write(int input, Writer writer);

    /**
     * {@link #write(int, Writer)} for a kernel that writes each element once. A gradient of 16 bits is then rounded by the
     * kernel, where {@link #write(int, Writer)} would let it write to a copy in F32.
     */
    void writeOnce(int input, Writer writer);

    /**
     * {@link #write(int, Writer)} for an input that was broadcast: the buffer has the shape that the input was
     * broadcast to, and is summed back to the input's shape.
     */
    void write(int input, Shape broadcastTo, Writer writer);

    /**
     * Passes on a tensor that already is the gradient, or a view of it, without a copy if possible. It is summed back
     * if it is larger than the input.
     */
    void pass(int input, Tensor gradient);

    /**
     * Transfers ownership of a gradient tensor to the engine, which may modify and free it, even if the gradient is not
     * wanted.
     *
     * @param gradient of the input's shape, or larger; not a view of anything that is still read
     */
    void give(int input, Tensor gradient);

    /**
     * The buffer itself, for a kernel that writes several gradients at once; scratch memory if the gradient is not
     * wanted. A variable that is several inputs (as in self-attention of x on x) gets a buffer for each; they are added
     * up after the operation's backward pass returns.
     */
    GradientBuffer buffer(int input);
}
