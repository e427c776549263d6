package io.gradus.parallel;

import io.gradus.core.DType;
import io.gradus.core.Device;
import io.gradus.core.Tensor;
import org.jspecify.annotations.Nullable;

/**
 * One rank of a job whose other ranks do not exist: it counts what it would send, allocates what it would allocate, and leaves
 * tensors unchanged. For the plan of a run, on the {@linkplain Device#meta() meta device}.
 */
public final class TrafficCount implements Collectives {
    private final int rank;
    private final int size;
    private @Nullable SumWorkspace workspace;
    private long sent;

    /** A rank of a job of so many. */
    public TrafficCount(int rank, int size) {
        if (rank < 0 || rank >= size) {
            throw new IllegalArgumentException("there is no rank " + rank + " among " + size);
        }
        this.rank = rank;
        this.size = size;
    }

    @Override
    public int rank() {
        return rank;
    }

    @Override
    public int size() {
        return size;
    }

    @Override
    public void reserve(Device device, DType dtype, long longest) {
        workspace = SumWorkspace.replace(workspace, device, dtype, size, longest);
    }

    @Override
    public void broadcast(Tensor tensor, int root) {
        int place = Math.floorMod(rank - root, size);
        for (int distance = Integer.highestOneBit(Math.max(1, size - 1)); distance > 0; distance /= 2) {
            boolean has = place % (2 * distance) == 0;
            sent += has && place + distance < size ? tensor.byteSize() : 0;
        }
    }

    @Override
    public Pending allReduceAsync(Tensor tensor) {
        Shards shards = Shards.equal(tensor.size(), size);
        reduceScatterAsync(tensor, tensor, shards);
        return allGatherAsync(tensor, tensor, shards);
    }

    @Override
    public Pending reduceScatterAsync(Tensor whole, Tensor shard, Shards shards) {
        sent += (shards.elements() - shards.size(rank)) * whole.dtype().bytes();
        return Pending.DONE;
    }

    @Override
    public Pending allGatherAsync(Tensor shard, Tensor whole, Shards shards) {
        sent += shards.size(rank) * (size - 1) * whole.dtype().bytes();
        return Pending.DONE;
    }

    @Override
    public Pending gatherAsync(Tensor shard, @Nullable Tensor whole, Shards shards, int root) {
        sent += rank == root ? 0 : shards.size(rank) * shard.dtype().bytes();
        return Pending.DONE;
    }

    /** As if all ranks had the numbers of this one. */
    @Override
    public double[] gather(double... own) {
        sent += Double.BYTES * (own.length + 1L) * (size - 1);
        double[] all = new double[own.length * size];
        for (int i = 0; i < all.length; i++) {
            all[i] = own[i % own.length];
        }
        return all;
    }

    @Override
    public long sentBytes() {
        return sent;
    }

    @Override
    public CommunicationTime time() {
        return CommunicationTime.NONE;
    }

    @Override
    public void abort(String reason) {
        throw new IllegalStateException(reason);
    }
}
