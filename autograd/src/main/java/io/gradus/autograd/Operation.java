package io.gradus.autograd;

import io.gradus.core.Tensor;
import org.jspecify.annotations.Nullable;

/**
 * One differentiable function, applied once. An instance belongs to one place in the graph: {@link #forward} keeps on it
 * what {@link #backward} will need.
 *
 * <p>To add an operation, extend this and call {@link Variable#apply}. Nothing else has to know of it.
 */
public abstract class Operation {
    private boolean recorded;

    /** The name that errors and drawings of the graph use: the class's, beginning in lower case. */
    public String label() {
        String name = getClass().getSimpleName();
        return Character.toLowerCase(name.charAt(0)) + name.substring(1);
    }

    /** Whether this is part of a graph, so that {@link #backward} may follow {@link #forward}. */
    protected final boolean isRecorded() {
        return recorded;
    }

    /** Computes the result from the inputs' values: a new tensor, or a view of one of them. */
    protected abstract Tensor forward(Tensor... inputs);

    /**
     * Computes the gradient of each input that wants one, given that of the result.
     *
     * @param dy the gradient of the loss with respect to this operation's result, of the result's shape; not to be changed
     * @param gradients where the inputs' gradients go, by the inputs' index
     */
    protected abstract void backward(Tensor dy, Gradients gradients);

    /** {@link #backward(Tensor, Gradients)}, for an operation that walks through a graph of its own. */
    void backward(Tensor dy, Gradients gradients, @Nullable LeafGradients waiting) {
        backward(dy, gradients);
    }

    /**
     * Whether {@link #forward} and {@link #backward} can read this input as a float of 16 bits. What they cannot read they
     * get converted to F32.
     */
    protected boolean readsHalf(int input) {
        return false;
    }

    /**
     * Gives back the memory of what {@link #forward} made for {@link #backward} alone, neither input nor result: the
     * engine calls this when there will be no backward pass any more, and nobody else can read it. By default there is none.
     */
    protected void release() {}

    /** Applies this, once. */
    final Tensor apply(boolean recorded, Tensor... inputs) {
        this.recorded = recorded;
        Tensor result = forward(inputs);
        if (!recorded) {
            release();
        }
        return result;
    }
}
