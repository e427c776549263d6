package io.gradus.autograd.op;

import io.gradus.autograd.Gradients;
import io.gradus.autograd.Operation;
import io.gradus.core.DType;
import io.gradus.core.MemoryCategory;
import io.gradus.core.Tensor;

/**
 * The same numbers in another dtype, rounded to nearest, ties to even.
 *
 * <p>Wider, this is the identity, whose derivative is 1. Narrower, it is a staircase, whose derivative is 0 almost everywhere
 * and says nothing; its steps are taken for the slope they follow. So {@code dx = dy} either way. Gradients on the way are
 * F32, and rounded where a parameter keeps its own in 16 bits.
 */
public final class Cast extends Operation {
    private final DType dtype;

    /**
     * @param dtype a float
     */
    public Cast(DType dtype) {
        if (!dtype.isFloating()) {
            throw new IllegalArgumentException("cast: " + dtype + " has no gradient; use Tensor.to(DType)");
        }
        this.dtype = dtype;
    }

    @Override
    protected Tensor forward(Tensor... inputs) {
        return inputs[0].to(inputs[0].device(), dtype, MemoryCategory.ACTIVATIONS);
    }

    @Override
    protected boolean readsHalf(int input) {
        return true;
    }

    @Override
    protected void backward(Tensor dy, Gradients gradients) {
        gradients.pass(0, dy);
    }
}
