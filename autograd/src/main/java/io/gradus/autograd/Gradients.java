package io.gradus.autograd;

import io.gradus.core.Shape;
import io.gradus.core.Tensor;

/**
 * Where an operation's backward pass puts the gradients of its inputs. The buffers are the engine's: a gradient that is the
 * first to arrive overwrites, a later one is added, and what was broadcast on the way in is summed on the way out. All of
 * that is decided here, so an operation only says what the gradient is.
 */
public interface Gradients {

    /** Computes a gradient into a buffer. */
    @FunctionalInterface
    interface Writer {
        /**
         * @param gradient to be written
         * @param accumulate true to add to it, false to overwrite it without reading it
         */
        void write(Tensor gradient, boolean accumulate);
    }

    /** A buffer and what to do with it. */
    record Buffer(Tensor gradient, boolean accumulate) {}

    /** Whether an input's gradient is asked for; if not, computing it is a waste, and writing it does nothing. */
    boolean wanted(int input);

    /** Lets {@code writer} fill a buffer of the input's own shape, unless the gradient is not wanted. */
    void write(int input, Writer writer);

    /**
     * Like {@link #write(int, Writer)} for an input that was broadcast: the buffer has the shape that it was broadcast to,
     * and is summed back to the input's shape.
     */
    void write(int input, Shape broadcastTo, Writer writer);

    /**
     * Passes on a tensor that already is the gradient, or a view of it: no copy where none is needed. Summed back if it is
     * larger than the input.
     */
    void pass(int input, Tensor gradient);

    /**
     * {@link #pass} of a tensor that the operation made and uses no more: the engine owns its memory from now on, may add to
     * it, and gives it back when it was used. Also when the gradient is not wanted.
     *
     * @param gradient of the input's shape, or larger; no view of what anybody else may read
     */
    void give(int input, Tensor gradient);

    /**
     * The buffer itself, for a kernel that writes several gradients at once; scratch when this one is not wanted. A variable
     * that is several inputs (as in attention of x on itself) gets a buffer for each; they are added up after the operation's
     * backward pass has returned.
     */
    Buffer buffer(int input);
}
