package io.gradus.parallel;

import io.gradus.core.DType;
import io.gradus.core.Device;
import io.gradus.core.Tensor;
import org.jspecify.annotations.Nullable;

/**
 * What the processes of a job do together: a {@link Communicator}, or a {@link TrafficCount}, which only counts bytes. All ranks
 * must call the same operations in the same order, with tensors of the same sizes and dtypes.
 */
public interface Collectives {

    /** The number of this process, from 0. */
    int rank();

    /** The number of processes. */
    int size();

    /**
     * Allocates what sums need besides their operands, once for all, so that the memory in use does not depend on when messages
     * arrive. Without this call, each sum allocates its own.
     *
     * @param dtype of the addends
     * @param longest the elements of the longest shard
     */
    void reserve(Device device, DType dtype, long longest);

    /** Copies the elements of one rank's tensor to the tensors of all ranks. */
    void broadcast(Tensor tensor, int root);

    /**
     * Starts to replace the tensors of all ranks by their sum, added in rank order.
     *
     * @param tensor in F32, BF16 or F16
     */
    Pending allReduceAsync(Tensor tensor);

    /**
     * Starts to add the tensors of all ranks, in rank order, and to give each rank its shard of the sum.
     *
     * @param whole the addend of this rank in F32, BF16 or F16, which is only read
     * @param shard receives this rank's range of the sum; may be a view of {@code whole}
     */
    Pending reduceScatterAsync(Tensor whole, Tensor shard, Shards shards);

    /**
     * Starts to collect the shards of a tensor from all ranks.
     *
     * @param shard this rank's range; may be a view of {@code whole}
     * @param whole receives the ranges of all ranks
     */
    Pending allGatherAsync(Tensor shard, Tensor whole, Shards shards);

    /**
     * Starts to collect the shards of a tensor on one rank.
     *
     * @param shard this rank's range; may be a view of {@code whole}
     * @param whole receives the ranges of all ranks; null on all ranks but the root
     */
    Pending gatherAsync(Tensor shard, @Nullable Tensor whole, Shards shards, int root);

    /**
     * The numbers of all ranks, one rank after the other.
     *
     * @param own numbers of this rank; ranks may have different counts
     */
    double[] gather(double... own);

    /** The bytes that this rank has sent by now. */
    long sentBytes();

    /** What communication has cost this rank by now. */
    CommunicationTime time();

    /**
     * Ends the whole job. Waiting ranks fail with a {@link CommunicationException}, or their processes end.
     *
     * @param reason why, in words for the user
     */
    void abort(String reason);
}
