package io.gradus.autograd.op;

import io.gradus.autograd.Gradients;
import io.gradus.autograd.Operation;
import io.gradus.core.MemoryCategory;
import io.gradus.core.Tensor;

/**
 * {@code yᵢ = W[idᵢ]}: looks up a row of a table for each id.
 *
 * <p>{@code yᵢ = onehot(idᵢ)·W} is a matrix product, so {@code dW = onehotᵀ·dY}: each row of W gets the sum of the
 * gradients of the positions that have its id, or 0 if there are none.
 */
public final class Embedding extends Operation {
    private final Tensor ids;

    /**
     * Creates the operation.
     *
     * @param ids I32 of any shape
     */
    public Embedding(Tensor ids) {
        this.ids = ids;
    }

    /** Takes the table {@code [V, D]}. */
    @Override
    protected Tensor forward(Tensor... inputs) {
        Tensor weight = inputs[0];
        Tensor y = Tensor.empty(
                weight.device(),
                weight.dtype().computed(),
                ids.shape().append(weight.shape().last()),
                MemoryCategory.ACTIVATIONS);
        weight.kernels().embedding().gather(weight, ids, y);
        return y;
    }

    @Override
    protected boolean readsHalf(int input) {
        return true;
    }

    @Override
    protected void backward(Tensor dy, Gradients gradients) {
        gradients.write(0, (dw, add) -> dy.kernels().embedding().scatterAdd(ids, dy, dw, add));
    }
}
