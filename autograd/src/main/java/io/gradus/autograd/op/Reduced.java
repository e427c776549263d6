package io.gradus.autograd.op;

import io.gradus.core.Shape;
import io.gradus.core.Tensor;

/**
 * The shapes of a reduction.
 *
 * @param from the input
 * @param kept the result, with length 1 for each reduced axis
 * @param result the result as the caller requested it: {@code kept}, or without the reduced axes
 */
record Reduced(Shape from, Shape kept, Shape result) {

    /**
     * Computes the shapes.
     *
     * @param operation the name in error messages
     * @param axes to reduce, from 0 or negative to count from the last; none means all
     * @throws IllegalArgumentException if an axis does not exist or is repeated
     */
    static Reduced of(String operation, Tensor x, int[] axes, boolean keepDim) {
        Shape shape = x.shape();
        boolean[] gone = new boolean[shape.rank()];
        for (int axis : axes) {
            int resolved = x.axis(operation, axis);
            if (gone[resolved]) {
                throw new IllegalArgumentException(
                        operation + ": axis " + axis + " of " + x.describe() + " is repeated");
            }
            gone[resolved] = true;
        }
        Shape kept = shape;
        Shape dropped = Shape.scalar();
        for (int i = 0; i < gone.length; i++) {
            if (gone[i] || axes.length == 0) {
                kept = kept.with(i, 1);
            } else {
                dropped = dropped.append(shape.get(i));
            }
        }
        return new Reduced(shape, kept, keepDim ? kept : dropped);
    }

    /** The number of elements per result. */
    long count() {
        return kept.size() == 0 ? 0 : from.size() / kept.size();
    }
}
