package io.gradus.autograd.op;

import io.gradus.autograd.Gradients;
import io.gradus.autograd.Operation;
import io.gradus.core.MemoryCategory;
import io.gradus.core.Tensor;
import org.jspecify.annotations.Nullable;

/**
 * {@code yᵢ = W[idᵢ]}: looks up a row of a table for each id.
 *
 * <p>{@code yᵢ = onehot(idᵢ)·W} is a matrix product, so {@code dW = onehotᵀ·dY}: each row of W gets the sum of the
 * gradients of the positions that have its id, or 0 if there are none. The row of a padding index gets no gradient.
 */
public final class Embedding extends Operation {
    private final Tensor ids;
    private final @Nullable Integer paddingIndex;

    /**
     * Creates the operation.
     *
     * @param ids I32 of any shape
     * @param paddingIndex the row without a gradient, or null
     */
    public Embedding(Tensor ids, @Nullable Integer paddingIndex) {
        this.ids = ids;
        this.paddingIndex = paddingIndex;
    }

    /** Takes the table {@code [V, D]}. */
    @Override
    protected Tensor forward(Tensor... inputs) {
        Tensor weight = inputs[0];
        Tensor y = Tensor.empty(
                weight.device(),
                weight.backend().computesIn(weight.dtype())
                        ? weight.dtype()
                        : weight.dtype().computed(),
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
        gradients.writeOnce(0, (dw, add) -> {
            if (paddingIndex == null) {
                dy.kernels().embedding().scatterAdd(ids, dy, dw, add);
            } else {
                writeWithout(dw.slice(paddingIndex, paddingIndex + 1), dy, dw, add);
            }
        });
    }

    /** Writes the gradient of all rows but one. */
    private void writeWithout(Tensor row, Tensor dy, Tensor dw, boolean add) {
        Tensor before = Workspace.like(row, row.shape());
        if (add) {
            before.copyFrom(row);
        } else {
            before.kernels().elementwise().fill(before, 0);
        }
        dy.kernels().embedding().scatterAdd(ids, dy, dw, add);
        row.copyFrom(before);
        before.release();
    }
}
