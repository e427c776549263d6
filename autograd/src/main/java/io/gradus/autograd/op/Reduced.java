package io.gradus.autograd.op;

import io.gradus.core.Shape;

/**
 * The shapes of a reduction.
 *
 * @param from before
 * @param kept after, with length 1 for each axis that was reduced
 * @param result after, as the caller wants it: {@code kept}, or without those axes
 */
record Reduced(Shape from, Shape kept, Shape result) {

    /**
     * @param operation the name to give in an error
     * @param axes to reduce, from 0 or negative to count from the last; none means all
     * @throws IllegalArgumentException when an axis does not exist or is named twice
     */
    static Reduced of(String operation, Shape shape, int[] axes, boolean keepDim) {
        boolean[] gone = new boolean[shape.rank()];
        for (int axis : axes) {
            int resolved = axis < 0 ? axis + shape.rank() : axis;
            if (resolved < 0 || resolved >= shape.rank()) {
                throw new IllegalArgumentException(operation + ": axis " + axis + " is not one of " + shape);
            }
            if (gone[resolved]) {
                throw new IllegalArgumentException(operation + ": axis " + axis + " of " + shape + " is named twice");
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

    /** How many elements become one. */
    long count() {
        return kept.size() == 0 ? 0 : from.size() / kept.size();
    }
}
