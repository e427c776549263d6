package io.gradus.parallel;

import io.gradus.core.Tensor;
import java.util.Arrays;

/**
 * How a tensor is divided among ranks: its elements in row-major order, in one range per rank, in the order of the ranks. A range may
 * be empty.
 */
public final class Shards {
    /** The first element of each rank's range, and the number of elements. */
    private final long[] bounds;

    private Shards(long[] bounds) {
        this.bounds = bounds;
    }

    /**
     * Ranges that follow each other.
     *
     * @param bounds 0, the end of the first range, …, the end of the last range, which is the number of elements
     * @throws IllegalArgumentException if they decrease, do not begin at 0, or leave no rank
     */
    public static Shards of(long... bounds) {
        boolean valid = bounds.length >= 2 && bounds[0] == 0;
        for (int i = 1; i < bounds.length; i++) {
            valid &= bounds[i] >= bounds[i - 1];
        }
        if (!valid) {
            throw new IllegalArgumentException("shards: the bounds " + Arrays.toString(bounds)
                    + " do not begin at 0 and increase, with one end for each rank");
        }
        return new Shards(bounds.clone());
    }

    /**
     * Ranges of equal length, of which the last ones are shorter or empty if the size is not divisible. PyTorch's
     * {@code torch.chunk} divides the same way.
     *
     * @param elements of the whole tensor
     * @param ranks the number of ranges
     */
    public static Shards equal(long elements, int ranks) {
        if (elements < 0 || ranks < 1) {
            throw new IllegalArgumentException("shards: " + elements + " elements for " + ranks + " ranks");
        }
        long[] bounds = new long[ranks + 1];
        long length = Math.ceilDiv(elements, ranks);
        Arrays.setAll(bounds, rank -> Math.min(elements, rank * length));
        return new Shards(bounds);
    }

    /** One range with all elements, for one of the ranks. */
    public static Shards whole(long elements, int ranks, int owner) {
        long[] bounds = new long[ranks + 1];
        Arrays.fill(bounds, owner + 1, ranks + 1, elements);
        return new Shards(bounds);
    }

    /** The number of ranges. */
    public int ranks() {
        return bounds.length - 1;
    }

    /** The elements of the whole tensor. */
    public long elements() {
        return bounds[ranks()];
    }

    /** The elements of the longest range. */
    public long longest() {
        long longest = 0;
        for (int rank = 0; rank < ranks(); rank++) {
            longest = Math.max(longest, size(rank));
        }
        return longest;
    }

    /** The first element of a rank's range. */
    public long from(int rank) {
        return bounds[rank];
    }

    /** The element after a rank's range. */
    public long to(int rank) {
        return bounds[rank + 1];
    }

    /** The number of elements of a rank's range. */
    public long size(int rank) {
        return to(rank) - from(rank);
    }

    /** Whether one rank has all elements. */
    public boolean isWhole(int rank) {
        return size(rank) == elements();
    }

    /** A view of a rank's range of a tensor, with one axis; the tensor itself, with its shape, if that is all of it. */
    public Tensor of(Tensor whole, int rank) {
        return isWhole(rank) ? whole : whole.reshape(elements()).slice(from(rank), to(rank));
    }

    /** As {@code [0, 4, 8, 10]}: the bounds. */
    @Override
    public String toString() {
        return Arrays.toString(bounds);
    }
}
