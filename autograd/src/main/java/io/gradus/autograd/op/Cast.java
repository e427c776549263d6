package io.gradus.autograd.op;

import io.gradus.autograd.Gradients;
import io.gradus.autograd.Operation;
import io.gradus.core.DType;
import io.gradus.core.MemoryCategory;
import io.gradus.core.Tensor;

/**
 * Converts elements to another dtype, rounding to nearest, ties to even.
 *
 * <p>To a wider dtype, this is the identity, whose derivative is 1. To a narrower one, it is a step function, whose
 * derivative is 0 almost everywhere and therefore useless; the derivative of the identity is used instead. So
 * {@code dx = dy} in both cases, rounded if x has fewer bits.
 */
public final class Cast extends Operation {
    private final DType dtype;

    /**
     * Creates the operation.
     *
     * @param dtype a floating-point dtype
     */
    public Cast(DType dtype) {
        if (!dtype.isFloating()) {
            throw new IllegalArgumentException("cast: " + dtype + " has no gradient; use Tensor.to(DType)");
        }
        this.dtype = dtype;
    }

    @Override
    protected Tensor forward(Tensor... inputs) {
        Tensor x = inputs[0];
        Tensor y = x.to(x.device(), dtype, MemoryCategory.ACTIVATIONS);
        String name = x.name();
        return name == null ? y : y.named(name); // for error messages
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
