package io.gradus.core;

import java.util.Arrays;
import org.jspecify.annotations.Nullable;

/**
 * The lengths of a tensor's axes (PyTorch's dims), outermost first: {@code [8, 64]} is eight rows of sixty-four. The shape of
 * a scalar is {@code []}. Immutable. The number of elements always fits in a {@code long}.
 */
public final class Shape {
    private static final Shape SCALAR = new Shape(new long[0]);
    private static final String NO_BROADCAST = "shapes do not broadcast";
    private static final String NO_BROADCAST_REMEDY = "aligned at the last axis, lengths must be equal or 1";

    private final long[] lengths;
    private final long size;

    private Shape(long[] lengths) {
        long product = 1;
        for (long length : lengths) {
            if (length < 0) {
                throw new IllegalArgumentException("shape: a length is negative: " + Arrays.toString(lengths));
            }
            try {
                product = Math.multiplyExact(product, length);
            } catch (ArithmeticException e) {
                throw new IllegalArgumentException(
                        "shape: more elements than a long counts: " + Arrays.toString(lengths));
            }
        }
        this.lengths = lengths;
        this.size = product;
    }

    public static Shape of(long... lengths) {
        return lengths.length == 0 ? SCALAR : new Shape(lengths.clone());
    }

    /** The shape of a scalar, {@code []}. */
    public static Shape scalar() {
        return SCALAR;
    }

    public int rank() {
        return lengths.length;
    }

    /** The number of elements: the product of the lengths, 1 for a scalar. */
    public long size() {
        return size;
    }

    /**
     * The length of one axis.
     *
     * @param axis from 0, or negative to count from the last: −1 is the innermost
     */
    public long get(int axis) {
        return lengths[axis(axis)];
    }

    /** The length of the innermost axis; 1 for a scalar. */
    public long last() {
        return lengths.length == 0 ? 1 : lengths[lengths.length - 1];
    }

    /** The number of rows along the innermost axis: {@code size() / last()}, or 0 if {@code last()} is 0. */
    public long rows() {
        return last() == 0 ? 0 : size / last();
    }

    /**
     * The position of an element on each axis, such as {@code [2, 17]}.
     *
     * @param element its index among all, row by row
     */
    public String position(long element) {
        long[] indices = new long[lengths.length];
        long rest = element;
        for (int axis = lengths.length - 1; axis >= 0; axis--) {
            indices[axis] = rest % lengths[axis];
            rest /= lengths[axis];
        }
        return Arrays.toString(indices);
    }

    /**
     * Resolves an axis that may be negative, to count from the last.
     *
     * @throws IllegalArgumentException if this shape has no such axis
     */
    public int axis(int axis) {
        int resolved = axis < 0 ? axis + lengths.length : axis;
        if (resolved < 0 || resolved >= lengths.length) {
            throw new IllegalArgumentException("axis " + axis + " is not one of " + this);
        }
        return resolved;
    }

    public long[] toArray() {
        return lengths.clone();
    }

    /** This shape with the length of one axis replaced. */
    public Shape with(int axis, long length) {
        long[] copy = lengths.clone();
        copy[axis(axis)] = length;
        return new Shape(copy);
    }

    /** The shape of {@code [this…, lengths…]}. */
    public Shape append(long... more) {
        long[] joined = Arrays.copyOf(lengths, lengths.length + more.length);
        System.arraycopy(more, 0, joined, lengths.length, more.length);
        return of(joined);
    }

    /** The axes from {@code from} (inclusive) to {@code to} (exclusive), both counted from 0. */
    public Shape sub(int from, int to) {
        return of(Arrays.copyOfRange(lengths, from, to));
    }

    /**
     * The shape with the given lengths, of which one may be −1 for the length that gives as many elements as this shape has; null
     * if no length does.
     */
    @Nullable Shape reshaped(long... lengths) {
        long[] filled = lengths.clone();
        long known = 1;
        int unknown = -1;
        for (int i = 0; i < filled.length; i++) {
            if (filled[i] == -1 && unknown < 0) {
                unknown = i;
            } else {
                known *= filled[i];
            }
        }
        if (unknown >= 0) {
            if (known <= 0 || size % known != 0) {
                return null;
            }
            filled[unknown] = size / known;
        }
        return of(filled);
    }

    /** Row-major strides in elements; the innermost is 1. */
    public long[] strides() {
        long[] strides = new long[lengths.length];
        long stride = 1;
        for (int i = lengths.length - 1; i >= 0; i--) {
            strides[i] = stride;
            stride *= lengths[i];
        }
        return strides;
    }

    /**
     * The shape that two shapes broadcast to, by NumPy's rule: aligned at the innermost axis, two lengths must be equal, or one
     * of them 1.
     *
     * @param operation the operation's name in the error
     * @throws ShapeException if two lengths differ and neither is 1
     */
    public static Shape broadcast(String operation, Shape a, Shape b) {
        Shape both = broadcast(a, b);
        if (both == null) {
            throw new ShapeException(operation, NO_BROADCAST, NO_BROADCAST_REMEDY, a, b);
        }
        return both;
    }

    /** The shape that all tensors broadcast to; the error names them. */
    public static Shape broadcast(String operation, Tensor... tensors) {
        Shape all = tensors[0].shape();
        for (int i = 1; i < tensors.length; i++) {
            all = broadcast(all, tensors[i].shape());
            if (all == null) {
                throw new ShapeException(operation, NO_BROADCAST, NO_BROADCAST_REMEDY, tensors);
            }
        }
        return all;
    }

    private static @Nullable Shape broadcast(Shape a, Shape b) {
        if (a.equals(b)) {
            return a;
        }
        int rank = Math.max(a.rank(), b.rank());
        long[] lengths = new long[rank];
        for (int i = 1; i <= rank; i++) {
            long left = i <= a.rank() ? a.get(-i) : 1;
            long right = i <= b.rank() ? b.get(-i) : 1;
            if (left != right && left != 1 && right != 1) {
                return null;
            }
            lengths[rank - i] = left == 1 ? right : left;
        }
        return new Shape(lengths);
    }

    /** Whether a tensor of this shape can be broadcast to {@code target}. */
    public boolean broadcastsTo(Shape target) {
        if (rank() > target.rank()) {
            return false;
        }
        for (int i = 1; i <= rank(); i++) {
            if (get(-i) != target.get(-i) && get(-i) != 1) {
                return false;
            }
        }
        return true;
    }

    /**
     * The strides for reading a tensor of this shape as if it had the shape {@code target}: 0 along broadcast axes.
     */
    public long[] broadcastStrides(Shape target) {
        long[] own = strides();
        long[] strides = new long[target.rank()];
        for (int i = 1; i <= rank(); i++) {
            strides[target.rank() - i] = get(-i) == 1 ? 0 : own[rank() - i];
        }
        return strides;
    }

    @Override
    public boolean equals(Object other) {
        return other instanceof Shape shape && Arrays.equals(lengths, shape.lengths);
    }

    @Override
    public int hashCode() {
        return Arrays.hashCode(lengths);
    }

    /** As {@code [8, 64]}. */
    @Override
    public String toString() {
        return Arrays.toString(lengths);
    }
}
