package io.gradus.parallel;

import io.gradus.core.Tensor;

/**
 * How a tensor is divided among ranks: its elements in row-major order, in ranges of equal length, of which the last ones are
 * shorter or empty if the size is not divisible. PyTorch's {@code torch.chunk} divides the same way.
 *
 * @param elements of the whole tensor
 * @param ranks the number of ranges
 */
public record Shards(long elements, int ranks) {

    public Shards {
        if (elements < 0 || ranks < 1) {
            throw new IllegalArgumentException("shards: " + elements + " elements for " + ranks + " ranks");
        }
    }

    /** The elements of the longest range, which is the first. */
    public long longest() {
        return Math.ceilDiv(elements, ranks);
    }

    /** The first element of a rank's range. */
    public long from(int rank) {
        return Math.min(elements, rank * longest());
    }

    /** The element after a rank's range. */
    public long to(int rank) {
        return Math.min(elements, (rank + 1L) * longest());
    }

    /** The number of elements of a rank's range. */
    public long size(int rank) {
        return to(rank) - from(rank);
    }

    /** A view of a rank's range of a tensor, with one axis. */
    public Tensor of(Tensor whole, int rank) {
        return whole.reshape(elements).slice(from(rank), to(rank));
    }
}
