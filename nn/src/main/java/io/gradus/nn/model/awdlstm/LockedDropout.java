package io.gradus.nn.model.awdlstm;

import io.gradus.autograd.Variable;
import io.gradus.core.MemoryCategory;
import io.gradus.core.Shape;
import io.gradus.core.Tensor;
import io.gradus.nn.Dropout;
import io.gradus.nn.Layer;
import io.gradus.nn.Module;

/**
 * Variational dropout (Gal &amp; Ghahramani 2016; Merity, Keskar &amp; Socher 2017, section 4.2): the same elements are dropped at
 * every step of a sequence, and others in other rows.
 */
final class LockedDropout extends Module implements Layer {
    private final Dropout dropout;

    /**
     * @param p from 0 to 1
     * @param layer a number that no other dropout layer of the model has
     */
    LockedDropout(double p, int layer) {
        this.dropout = register("dropout", new Dropout(p, 0, layer));
    }

    /**
     * @param x {@code [T, B, n]}
     * @return {@code [T, B, n]}
     */
    @Override
    public Variable forward(Variable x) {
        if (dropout.isIdentity()) {
            return x;
        }
        return x.multiply(mask(dropout, x, Shape.of(x.shape().get(1), x.shape().last())));
    }

    /** Ones of which some are dropped, and the others are scaled. */
    static Variable mask(Dropout dropout, Variable like, Shape shape) {
        return dropout.forward(Variable.constant(
                Tensor.full(like.device(), like.value().dtype().computed(), shape, 1, MemoryCategory.ACTIVATIONS)));
    }
}
